"""Random texts of both schedule languages, for laws that hold for every schedule."""

from hypothesis import strategies as st


def fields(low, high):
    """Texts of one cron field."""
    number = st.integers(low, high)
    span = st.tuples(number, number).map(sorted).filter(lambda pair: pair[0] < pair[1])
    return st.one_of(
        st.just("*"),
        st.integers(2, (high - low) // 2).map("*/{}".format),
        number.map(str),
        st.lists(number, min_size=2, max_size=3, unique=True).map(
            lambda ns: ",".join(map(str, ns))
        ),
        span.map(lambda pair: f"{pair[0]}-{pair[1]}"),
    )


cron_lines = st.tuples(
    fields(0, 59), fields(0, 23), fields(1, 28), fields(1, 12), fields(0, 6)
).map(" ".join)
times = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]:02}:{t[1]:02}")
phrases = st.one_of(
    st.sampled_from([5, 7, 15, 45, 50, 90]).map("every {} minutes".format),
    st.sampled_from([1, 2, 5, 24, 36]).map("every {} hours".format),
    st.sampled_from([5, 45, 7]).map("every {} seconds".format),
    times.map("every day at {}".format),
    times.map("every 3 days at {}".format),
    times.map("every 2 weeks on tuesday and friday at {}".format),
    times.map("every weekday at {}:30".format),
    times.map("every month on the 1st and 31st at {}".format),
    times.map("every month on the last day at {}".format),
    times.map("every month on the first monday at {}".format),
    times.map("every month on the fifth friday at {}".format),
    times.map("every quarter on the last weekday at {}".format),
    times.map("every 5 months on the 15th at {}".format),
    st.integers(1, 59).map("every hour at :{:02}".format),
    st.integers(1, 59).map("every minute at :{:02}".format),
    st.just("every 20 to 50 minutes"),
    st.just("every 15 minutes between 00:30 and 03:10 on weekdays"),
    times.map("once at 2027-03-14 {}".format),
)
