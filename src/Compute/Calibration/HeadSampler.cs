using Concertina.Compute.Calibration.CommVq;
using Concertina.Compute.Evaluation;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.Calibration;

/// <summary>Captures what a model writes into its cache for a text: keys, turned back to before RoPE if a rotation is given, and values, per head.</summary>
internal sealed class HeadSampler(EvaluationRig rig, CommVqRotation? rotation)
{
    /// <summary>Runs the windows losslessly and keeps every slot.</summary>
    /// <param name="windows">Windows of text.</param>
    /// <param name="cancellation">Cancels between windows.</param>
    public IReadOnlyList<HeadSample> Capture(IReadOnlyList<int[]> windows, CancellationToken cancellation)
    {
        KvShape shape = rig.Cache.Shape;
        int rows = windows.Sum(window => window.Length);
        float[][] keys = [.. Enumerable.Range(0, shape.HeadCount).Select(_ => new float[rows * shape.HeadDim])];
        float[][] values = [.. keys.Select(head => new float[head.Length])];
        int first = 0;
        foreach (int[] window in windows)
        {
            cancellation.ThrowIfCancellationRequested();
            PageTable table = rig.NewTable(rung: 0);
            rig.Prefill(table, window);
            for (int head = 0; head < shape.HeadCount; head++)
            {
                Read(table, head, keys[head].AsSpan(first * shape.HeadDim), values[head].AsSpan(first * shape.HeadDim));
            }
            rig.Cache.Release(table);
            first += window.Length;
        }
        return [.. keys.Select((head, index) => new HeadSample(head, values[index]))];
    }

    private void Read(PageTable table, int head, Span<float> keys, Span<float> values)
    {
        int headDim = rig.Cache.Shape.HeadDim;
        for (int position = 0; position < table.TokenCount; position += KvShape.PageTokens)
        {
            int count = Math.Min(KvShape.PageTokens, table.TokenCount - position) * headDim;
            int at = position * headDim;
            rig.Cache.Pages.Decode(table, head, position / KvShape.PageTokens, keys.Slice(at, count), values.Slice(at, count));
        }
        if (rotation is null)
        {
            return;
        }
        float[] split = new float[PairLayout.Width(headDim)];
        for (int position = 0; position < table.TokenCount; position++)
        {
            Span<float> row = keys.Slice(position * headDim, headDim);
            PairLayout.Split(row, split);
            rotation.Angles.TurnBack(position, split);
            PairLayout.Join(split, row);
        }
    }
}

/// <summary>The rotation that a model's keys went through.</summary>
/// <param name="Angles">Angles of every position.</param>
internal sealed record CommVqRotation(AngleTable Angles);
