using Concertina.Contracts.Tenants;
using Concertina.Grains.Tenants;

namespace Concertina.Grains.Tests.Tenants;

public sealed class UsageHoursTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void No_token_is_lost_or_doubled_whatever_the_clock_does_within_a_week()
    {
        Random random = new(7);
        UsageHour[] hours = [];
        UsageRecord total = new("", 0, 0, 0);
        for (int i = 0; i < 500; i++)
        {
            UsageRecord usage = new($"r{i}", random.Next(100), random.Next(10), random.Next(50));
            total = new UsageRecord("", total.PromptTokens + usage.PromptTokens, total.CachedTokens + usage.CachedTokens, total.GeneratedTokens + usage.GeneratedTokens);
            // Also backwards: clocks are set.
            hours = UsageHours.Add(hours, usage, Start.AddMinutes(random.Next(-60, 60) + (i * 5)));
        }

        Assert.Equal(500, hours.Sum(hour => hour.Requests));
        Assert.Equal(total.PromptTokens, hours.Sum(hour => hour.PromptTokens));
        Assert.Equal(total.CachedTokens, hours.Sum(hour => hour.CachedTokens));
        Assert.Equal(total.GeneratedTokens, hours.Sum(hour => hour.GeneratedTokens));
        Assert.Equal(hours.Select(hour => hour.StartUnixSeconds).Distinct().Order(), hours.Select(hour => hour.StartUnixSeconds));
        Assert.All(hours, hour => Assert.Equal(0, hour.StartUnixSeconds % 3_600));
    }

    [Fact]
    public void At_most_a_week_of_hours_is_kept_the_latest()
    {
        UsageHour[] hours = [];
        for (int i = 0; i < 1_000; i++)
        {
            hours = UsageHours.Add(hours, new UsageRecord($"r{i}", 1, 0, 1), Start.AddHours(i));
        }

        Assert.Equal(UsageHours.Kept, hours.Length);
        Assert.Equal(Start.AddHours(999).ToUnixTimeSeconds(), hours[^1].StartUnixSeconds);
    }
}
