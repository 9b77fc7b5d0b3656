/* A wall clock that stands WALL_OFFSET seconds from the real one, for one process.
 *
 * Only CLOCK_REALTIME moves. Monotonic clocks, and so sleeps, timeouts and locks, keep real time,
 * as they do on a machine whose date somebody sets.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static time_t offset(void)
{
    const char *text = getenv("WALL_OFFSET");
    return text ? (time_t)atoll(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, now);
    if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += offset();
    return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    struct timespec spec;
    if (clock_gettime(CLOCK_REALTIME, &spec) != 0)
        return -1;
    now->tv_sec = spec.tv_sec;
    now->tv_usec = spec.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result)
{
    struct timespec spec;
    clock_gettime(CLOCK_REALTIME, &spec);
    if (result)
        *result = spec.tv_sec;
    return spec.tv_sec;
}
