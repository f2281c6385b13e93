using Concertina.Contracts.Tenants;

namespace Concertina.Grains.Tenants;

/// <summary>Usage by the hour in which requests ended, oldest first. Hours without a request are not kept.</summary>
internal static class UsageHours
{
    /// <summary>Most hours kept: a week.</summary>
    public const int Kept = 168;

    private const long SecondsPerHour = 3_600;

    /// <summary>Adds one request to its hour.</summary>
    /// <param name="hours">Hours so far, oldest first.</param>
    /// <param name="usage">What the request used.</param>
    /// <param name="now">When it ended. A clock that was set back adds to the latest hour, so that hours stay in order.</param>
    public static UsageHour[] Add(UsageHour[] hours, UsageRecord usage, DateTimeOffset now)
    {
        long start = now.ToUnixTimeSeconds() / SecondsPerHour * SecondsPerHour;
        UsageHour hour = hours.Length > 0 && hours[^1].StartUnixSeconds >= start
            ? hours[^1]
            : new UsageHour { StartUnixSeconds = start, Requests = 0, PromptTokens = 0, CachedTokens = 0, GeneratedTokens = 0 };
        UsageHour added = hour with
        {
            Requests = hour.Requests + 1,
            PromptTokens = hour.PromptTokens + usage.PromptTokens,
            CachedTokens = hour.CachedTokens + usage.CachedTokens,
            GeneratedTokens = hour.GeneratedTokens + usage.GeneratedTokens,
        };
        UsageHour[] before = hours.Length > 0 && hours[^1].StartUnixSeconds >= start ? hours[..^1] : hours;
        return [.. before.TakeLast(Kept - 1), added];
    }
}
