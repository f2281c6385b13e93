using Concertina.Grains.Tenants;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Tenants;

public sealed class RateLimitTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_full_limit_gives_exactly_its_units()
    {
        RateLimit limit = new(3, _time);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(0, limit.WaitMs(1));
            limit.Take(1);
        }
        Assert.Equal(20_000, limit.WaitMs(1));
    }

    [Fact]
    public void After_the_announced_wait_the_units_are_there_and_a_millisecond_earlier_they_are_not()
    {
        RateLimit limit = new(7, _time);
        limit.Take(7);
        int wait = limit.WaitMs(2)!.Value;

        _time.Advance(TimeSpan.FromMilliseconds(wait - 1));
        Assert.NotEqual(0, limit.WaitMs(2));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, limit.WaitMs(2));
    }

    [Fact]
    public void Over_any_time_never_more_than_the_bucket_and_its_refill_is_given()
    {
        Random random = new(11);
        RateLimit limit = new(1_000_003, _time);
        long taken = 0;
        TimeSpan elapsed = TimeSpan.Zero;
        for (int i = 0; i < 5_000; i++)
        {
            TimeSpan step = TimeSpan.FromTicks(random.Next(1, 300_000));
            _time.Advance(step);
            elapsed += step;
            int units = random.Next(1, 2_000);
            if (limit.WaitMs(units) == 0)
            {
                limit.Take(units);
                taken += units;
            }
        }
        Int128 allowed = 1_000_003 + ((Int128)1_000_003 * elapsed.Ticks / TimeSpan.TicksPerMinute);
        Assert.InRange(taken, (long)allowed - 2_000, (long)allowed);
    }

    [Fact]
    public void More_than_the_limit_at_once_can_never_pass() => Assert.Null(new RateLimit(10, _time).WaitMs(11));

    [Theory]
    [InlineData(600, 1)]
    [InlineData(1_000_000, 10_000)]
    public void A_lowered_limit_lets_requests_in_again_within_a_minute(int before, int after)
    {
        RateLimit limit = new(before, _time);
        limit.Take(before);

        RateLimit lowered = limit.Changed(after);

        Assert.Equal(0, lowered.State().Remaining);
        Assert.InRange(lowered.WaitMs(after)!.Value, 1, 60_000);
    }

    [Fact]
    public void What_is_given_back_never_exceeds_the_limit()
    {
        RateLimit limit = new(10, _time);
        limit.Take(4);
        limit.Correct(100);
        Assert.Equal(10, limit.State().Remaining);
        Assert.Equal(0, limit.State().ResetMs);
    }

    [Fact]
    public void Overuse_is_a_debt_that_the_next_requests_wait_for()
    {
        RateLimit limit = new(60, _time);
        limit.Take(60);
        limit.Correct(-30);
        Assert.Equal(0, limit.State().Remaining);
        Assert.Equal(31_000, limit.WaitMs(1));
    }
}
