/* A wall clock that all programs of a sandbox share and that can be moved while they run, as by a sleep of the machine.
 *
 * /etc/moved-clock holds the nanoseconds, 8 bytes, that it stands ahead of the real one. Named in /etc/ld.so.preload this is
 * part of every program, the first included. Only CLOCK_REALTIME moves: monotonic clocks, and so timeouts and waits, keep
 * real time. What waits for a wall time wakes when the clock gets there: timers of the kernel on that clock (systemd),
 * and sleep() (the cron daemons).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define TIMERS 4096
#define LOOK_MS 20 /* how long a program may sleep before it looks whether the clock was moved */
#define SECOND 1000000000LL

static volatile int64_t *shared;
static struct timer {
    int wall;  /* the descriptor is a timer on the wall clock */
    int flags;
    struct itimerspec aim; /* in the moved time */
} timers[TIMERS];
static int64_t seen; /* the offset with which the timers are armed */

static int64_t offset(void)
{
    static int looked;
    if (!looked) {
        int file = open("/etc/moved-clock", O_RDONLY | O_CLOEXEC);
        looked = 1;
        if (file >= 0) {
            void *page = mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, file, 0);
            shared = page == MAP_FAILED ? NULL : page;
            close(file);
        }
    }
    return shared ? *shared : 0;
}

static struct timespec shifted(struct timespec from, int64_t by)
{
    int64_t rest = from.tv_nsec + by % SECOND;
    int64_t carry = rest < 0 ? -1 : rest >= SECOND;
    return (struct timespec){from.tv_sec + by / SECOND + carry, rest - carry * SECOND};
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        *now = shifted(*now, offset());
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now)
        *now = exact.tv_sec;
    return exact.tv_sec;
}

/* A file that is touched bears the moved time: of timers, systemd keeps in such a file when they last ran. */
static int touch(int folder, const char *path, const struct timespec times[2], int flags)
{
    struct timespec now[2];
    if (times == NULL) {
        clock_gettime(CLOCK_REALTIME, &now[0]);
        now[1] = now[0];
        times = now;
    }
    return syscall(SYS_utimensat, folder, path, times, flags);
}

int utimensat(int folder, const char *path, const struct timespec times[2], int flags)
{
    return touch(folder, path, times, flags);
}

int futimens(int file, const struct timespec times[2])
{
    return touch(file, NULL, times, 0);
}

unsigned int sleep(unsigned int seconds)
{
    const struct timespec look = {0, LOOK_MS * 1000000L};
    struct timespec now;
    time_t end;
    clock_gettime(CLOCK_REALTIME, &now);
    end = now.tv_sec + seconds;
    while (now.tv_sec < end) {
        if (nanosleep(&look, NULL) && errno == EINTR)
            return now.tv_sec < end ? (unsigned int)(end - now.tv_sec) : 0;
        clock_gettime(CLOCK_REALTIME, &now);
    }
    return 0;
}

static int arm(int file, int flags, const struct itimerspec *aim, struct itimerspec *old)
{
    struct itimerspec real = *aim;
    int set = aim->it_value.tv_sec || aim->it_value.tv_nsec;
    if (set && (flags & TFD_TIMER_ABSTIME)) {
        real.it_value = shifted(real.it_value, -offset());
        if (real.it_value.tv_sec < 1)
            real.it_value.tv_sec = 1;
    }
    return syscall(SYS_timerfd_settime, file, flags, &real, old);
}

int timerfd_create(int clock, int flags)
{
    int file = syscall(SYS_timerfd_create, clock, flags);
    if (file >= 0 && file < TIMERS)
        timers[file] = (struct timer){.wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM};
    return file;
}

int timerfd_settime(int file, int flags, const struct itimerspec *aim, struct itimerspec *old)
{
    if (file < 0 || file >= TIMERS || !timers[file].wall)
        return syscall(SYS_timerfd_settime, file, flags, aim, old);
    timers[file].aim = *aim;
    timers[file].flags = flags;
    return arm(file, flags, aim, old);
}

static void follow_the_clock(void)
{
    if (seen == offset())
        return;
    seen = offset();
    for (int file = 0; file < TIMERS; file++)
        if (timers[file].wall && (timers[file].aim.it_value.tv_sec || timers[file].aim.it_value.tv_nsec))
            arm(file, timers[file].flags, &timers[file].aim, NULL);
}

static int wait_in_parts(int file, struct epoll_event *events, int most, int64_t left, const sigset_t *mask)
{
    for (;;) {
        int part = left < 0 || left > LOOK_MS ? LOOK_MS : (int)left;
        int found;
        follow_the_clock();
        found = syscall(SYS_epoll_pwait, file, events, most, part, mask, 8);
        if (found || (left >= 0 && (left -= part) <= 0))
            return found;
    }
}

int epoll_wait(int file, struct epoll_event *events, int most, int timeout)
{
    return wait_in_parts(file, events, most, timeout, NULL);
}

int epoll_pwait(int file, struct epoll_event *events, int most, int timeout, const sigset_t *mask)
{
    return wait_in_parts(file, events, most, timeout, mask);
}

int epoll_pwait2(int file, struct epoll_event *events, int most, const struct timespec *timeout, const sigset_t *mask)
{
    int64_t left = timeout ? timeout->tv_sec * 1000LL + (timeout->tv_nsec + 999999) / 1000000 : -1;
    return wait_in_parts(file, events, most, left, mask);
}
