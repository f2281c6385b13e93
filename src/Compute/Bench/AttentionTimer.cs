using Concertina.Compute.Attention;
using Concertina.Compute.KvCache;

namespace Concertina.Compute.Bench;

/// <summary>Attention of one token of every sequence over all layers, on one thread.</summary>
internal sealed class AttentionTimer
{
    private readonly BenchmarkRig _rig;
    private readonly PagedAttention _attention;
    private readonly float[] _queries;
    private readonly float[] _outputs;

    public AttentionTimer(BenchmarkRig rig)
    {
        _rig = rig;
        KvShape shape = rig.Cache.Shape;
        _attention = new PagedAttention(rig.Cache, rig.Tables.Length, 1);
        _queries = new float[rig.Tables.Length * shape.KvHeadCount * shape.GroupSize * shape.HeadDim];
        _outputs = new float[_queries.Length];
        var random = new Random(1);
        foreach (ref float query in _queries.AsSpan())
        {
            query = random.NextSingle() - 0.5f;
        }
    }

    /// <summary>Nanoseconds per cached token and KV head.</summary>
    public double Measure()
    {
        _rig.ReserveNext();
        foreach (PageTable table in _rig.Tables)
        {
            _rig.Batch.Add(table, table.TokenCount, [0], 0);
        }
        _attention.Plan(_rig.Batch);
        KvShape shape = _rig.Cache.Shape;
        long start = _rig.Time.GetTimestamp();
        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            _attention.Begin(layer, _queries, _outputs);
            for (int chunk = 0; chunk < _attention.ChunkCount; chunk++)
            {
                _attention.Execute(chunk, 0);
            }
            _attention.Complete();
        }
        double nanoseconds = _rig.Time.GetElapsedTime(start).TotalNanoseconds;
        _rig.Batch.Clear();
        return nanoseconds / _rig.Tables.Sum(table => (long)table.TokenCount) / shape.HeadCount;
    }
}
