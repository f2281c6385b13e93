using Concertina.Compute.Attention;
using Concertina.Compute.KvCache;

namespace Concertina.Compute.Evaluation;

/// <summary>Bytes and time of one rung, measured on a sequence that was squeezed to it.</summary>
/// <param name="Bytes">Physical bytes of the sequence.</param>
/// <param name="Tokens">Its tokens.</param>
/// <param name="AttendNs">Attention, nanoseconds per cached token and KV head, one thread, the smallest of repeats.</param>
/// <param name="EncodeNs">Transcoding, nanoseconds per transcoded token and KV head, one thread.</param>
public readonly record struct RungCost(long Bytes, int Tokens, double AttendNs, double EncodeNs)
{
    private const int Repeats = 9;

    /// <summary>Physical bytes per token.</summary>
    public double BytesPerToken => (double)Bytes / Tokens;

    /// <summary>Measures every rung of a rig on one text.</summary>
    /// <param name="rig">The rig.</param>
    /// <param name="tokens">The text; its length is the sequence's.</param>
    /// <param name="time">Clock.</param>
    /// <returns>The lossless rung, then the others.</returns>
    public static RungCost[] Measure(EvaluationRig rig, ReadOnlySpan<int> tokens, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(rig);
        ArgumentNullException.ThrowIfNull(time);
        PageTable lossless = rig.NewObservedTable();
        rig.Prefill(lossless, tokens);
        var costs = new RungCost[rig.Rungs.Count + 1];
        var attention = new PagedAttention(rig.Cache, 1, 1);
        for (int rung = 0; rung < costs.Length; rung++)
        {
            PageTable table = rig.Fork(lossless, rung);
            long start = time.GetTimestamp();
            rig.Squeeze(table);
            double encodeNs = time.GetElapsedTime(start).TotalNanoseconds;
            long encoded = table.TranscodedUnits * KvShape.PageTokens;
            costs[rung] = new RungCost(
                table.Bytes, table.TokenCount, AttendNsOf(rig, attention, table, time),
                encoded == 0 ? 0 : encodeNs / encoded);
            rig.Cache.Release(table);
        }
        rig.Cache.Release(lossless);
        return costs;
    }

    private static double AttendNsOf(EvaluationRig rig, PagedAttention attention, PageTable table, TimeProvider time)
    {
        KvShape shape = rig.Cache.Shape;
        float[] queries = new float[shape.KvHeadCount * shape.GroupSize * shape.HeadDim];
        float[] outputs = new float[queries.Length];
        var random = new Random(1);
        foreach (ref float query in queries.AsSpan())
        {
            query = random.NextSingle() - 0.5f;
        }
        if (!rig.Cache.TryReserve(table, table.TokenCount + 1))
        {
            return double.NaN;
        }
        rig.Clear();
        rig.Batch.Add(table, table.TokenCount, [0], 0);
        attention.Plan(rig.Batch);
        double best = double.MaxValue;
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            long start = time.GetTimestamp();
            for (int layer = 0; layer < shape.LayerCount; layer++)
            {
                attention.Begin(layer, queries, outputs);
                for (int chunk = 0; chunk < attention.ChunkCount; chunk++)
                {
                    attention.Execute(chunk, 0);
                }
                attention.Complete();
            }
            best = Math.Min(best, time.GetElapsedTime(start).TotalNanoseconds);
        }
        rig.Clear();
        return best / table.TokenCount / shape.HeadCount;
    }
}
