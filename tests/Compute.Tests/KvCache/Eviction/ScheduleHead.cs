using System.Text.Json;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>One head of a schedule: positions, metrics, as the golden vectors give them.</summary>
internal sealed record ScheduleHead(int[] Positions, float[] Metric)
{
    public static ScheduleHead[] Read(JsonElement heads) =>
        [.. heads.EnumerateArray().Select(head => new ScheduleHead(head.At("pos").Integers(), head.At("m").Floats()))];

    public static ScheduleHead[] Random(int headCount, int seed, bool ties = false, int mostSlots = 40)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, headCount).Select(_ =>
        {
            int[] positions = [.. Enumerable.Range(0, 64)];
            random.Shuffle(positions);
            int slots = random.Next(mostSlots + 1);
            return new ScheduleHead(
                positions[..slots], [.. Enumerable.Range(0, slots).Select(_ => ties ? random.Next(3) / 4f : random.NextSingle())]);
        })];
    }

    /// <summary>Metrics with protected slots at infinity.</summary>
    public float[] Protected(ScheduleRules rules)
    {
        bool IsProtected(int position) => position < rules.Sinks || position > rules.LastPosition - rules.Window;
        return [.. Metric.Zip(Positions, (metric, position) => IsProtected(position) ? float.PositiveInfinity : metric)];
    }
}

/// <summary>What every head of a schedule shares.</summary>
internal sealed record ScheduleRules(int BlockTokens, int Window, int Sinks, int LastPosition)
{
    public static ScheduleRules Read(JsonElement file) => new(
        file.At("params", "b").GetInt32(), file.At("params", "P").GetInt32(), file.At("params", "sinks").GetInt32(),
        file.At("params", "last_pos").GetInt32());
}
