using Concertina.Compute.KvCache;

namespace Concertina.Compute.Evaluation;

/// <summary>How fast one rung becomes another on one thread; a token counts all layers and heads.</summary>
/// <param name="From">Rung before.</param>
/// <param name="To">Rung after.</param>
/// <param name="TokensPerSecond">Tokens per second, the best of repeats.</param>
/// <param name="FreedBytesPerSecond">Physical bytes that came free per second.</param>
public readonly record struct TranscodeSpeed(string From, string To, double TokensPerSecond, double FreedBytesPerSecond)
{
    private const int Repeats = 3;

    /// <summary>Measures every pair of rungs of a rig that may follow each other.</summary>
    /// <param name="rig">The rig, with rungs shallow to deep.</param>
    /// <param name="tokens">A text; longer than the exact parts.</param>
    /// <param name="time">Clock.</param>
    public static IReadOnlyList<TranscodeSpeed> Measure(EvaluationRig rig, ReadOnlySpan<int> tokens, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(rig);
        ArgumentNullException.ThrowIfNull(time);
        List<TranscodeSpeed> speeds = [];
        PageTable lossless = rig.NewObservedTable();
        rig.Prefill(lossless, tokens);
        for (int from = 0; from < rig.Rungs.Count; from++)
        {
            PageTable source = rig.Fork(lossless, from);
            rig.Squeeze(source);
            for (int to = from + 1; to <= rig.Rungs.Count; to++)
            {
                if (Fastest(rig, source, to, time) is { } found)
                {
                    speeds.Add(found);
                }
            }
            rig.Cache.Release(source);
        }
        rig.Cache.Release(lossless);
        return speeds;
    }

    // Null where nothing may move: a codec does not accept the other as a source.
    private static TranscodeSpeed? Fastest(EvaluationRig rig, PageTable source, int to, TimeProvider time)
    {
        TranscodeSpeed? best = null;
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            PageTable table = rig.Fork(source, source.Rung);
            long units = table.TranscodedUnits;
            long start = time.GetTimestamp();
            rig.MoveTo([table], to);
            double seconds = time.GetElapsedTime(start).TotalSeconds;
            double moved = (double)(table.TranscodedUnits - units) * KvShape.PageTokens / rig.Cache.Shape.HeadCount;
            if (moved > 0 && moved / seconds > (best?.TokensPerSecond ?? 0))
            {
                best = new TranscodeSpeed(
                    rig.Cache.Rungs[source.Rung].Rung.Name, rig.Cache.Rungs[to].Rung.Name, moved / seconds, (source.Bytes - table.Bytes) / seconds);
            }
            rig.Cache.Release(table);
        }
        return best;
    }
}
