using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Bench;

/// <summary>A runner with a cache large enough for the benchmark, and sequences that already hold their depth.</summary>
internal sealed class BenchmarkRig : IDisposable
{
    private const double KvHeadroom = 1.15;
    private const long FixedBytes = 128 << 20;
    private const int FillRows = 64;

    private readonly BenchmarkSettings _settings;
    private readonly Random _random;

    public BenchmarkRig(ModelSource source, BenchmarkSettings settings, TimeProvider time, KvProfile? profile = null)
    {
        _settings = settings;
        Time = time;
        _random = new(settings.Seed);
        ModelConfig config = source.Config;
        long tokenBytes = 2L * sizeof(ushort) * config.LayerCount * config.KvHeadCount * config.HeadDim;
        long slots = (settings.Depth + settings.Tokens + (2L * KvShape.PageTokens)) * settings.Batch;
        var options = new KvCacheOptions { BudgetBytes = FixedBytes + (long)(slots * tokenBytes * KvHeadroom) };
        CacheParts parts = CacheParts.WithoutProfile(settings.Rung);
        parts = parts with { Codecs = ModelCache.Codecs(source, profile, parts.Rungs), KeepsDecisions = ModelCache.KeepsDecisions(source, parts.Rungs) };
        Cache = new(config.ToKvShape(), options, parts);
        int threads = settings.Threads == 0 ? Environment.ProcessorCount : settings.Threads;
        int rows = Math.Max(settings.ChunkTokens, settings.Batch);
        Runner = CpuModelRunner.Create(source, Cache, new() { MaxStepRows = rows, MaxLogitRows = settings.Batch, Threads = threads });
        Batch = new(rows, settings.Batch, config.VocabularySize);
        Threads = threads;
        Tables = [.. Enumerable.Range(0, settings.Batch).Select(_ => NewSequence())];
    }

    public TimeProvider Time { get; }

    public PagedKvCache Cache { get; }

    public CpuModelRunner Runner { get; }

    public StepBatch Batch { get; }

    public int Threads { get; }

    public PageTable[] Tables { get; }

    /// <summary>Processor time of all steps since <see cref="ResetCpuTime"/>.</summary>
    public TimeSpan CpuTime { get; private set; }

    /// <summary>Forgets the processor time of the warm-up.</summary>
    public void ResetCpuTime() => CpuTime = TimeSpan.Zero;

    /// <summary>Adds rows of random tokens to the step.</summary>
    public void Add(PageTable table, int count, int logitRows)
    {
        Reserve(table, table.TokenCount + count);
        Span<int> tokens = stackalloc int[1];
        if (count > 1)
        {
            tokens = new int[count];
        }
        foreach (ref int token in tokens)
        {
            token = _random.Next(Runner.Config.VocabularySize);
        }
        Batch.Add(table, table.TokenCount, tokens, logitRows);
    }

    /// <summary>Makes room for one more token of every sequence, so that its attention can be planned.</summary>
    public void ReserveNext() => Array.ForEach(Tables, table => Reserve(table, table.TokenCount + 1));

    /// <summary>Runs the step and commits it.</summary>
    /// <returns>Time the forward pass took.</returns>
    public TimeSpan Step()
    {
        TimeSpan cpuBefore = Environment.CpuUsage.TotalTime;
        long start = Time.GetTimestamp();
        Runner.Forward(Batch);
        TimeSpan elapsed = Time.GetElapsedTime(start);
        CpuTime += Environment.CpuUsage.TotalTime - cpuBefore;
        foreach (StepSpan span in Batch.Spans)
        {
            Cache.Commit(span.Table, span.FirstPosition + span.RowCount);
            Squeeze(span.Table);
        }
        Batch.Clear();
        return elapsed;
    }

    /// <summary>The value below which a share of the samples lies, in milliseconds.</summary>
    public static double Percentile(IEnumerable<TimeSpan> samples, double share)
    {
        TimeSpan[] sorted = [.. samples.Order()];
        return sorted[(int)Math.Ceiling(share * sorted.Length) - 1].TotalMilliseconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Runner.Dispose();
        Cache.Dispose();
    }

    private PageTable NewSequence()
    {
        PageTable table = Cache.CreateTable();
        Reserve(table, Math.Max(_settings.Depth, 1));
        int width = Cache.Shape.KvHeadCount * Cache.Shape.HeadDim;
        float[] noise = new float[FillRows * width];
        for (int i = 0; i < noise.Length; i++)
        {
            noise[i] = _random.NextSingle() - 0.5f;
        }
        for (int layer = 0; layer < Cache.Shape.LayerCount; layer++)
        {
            for (int first = 0; first < _settings.Depth; first += FillRows)
            {
                int count = Math.Min(FillRows, _settings.Depth - first);
                ReadOnlySpan<float> rows = noise.AsSpan(0, count * width);
                Cache.Write(table, layer, new KvRows { FirstPosition = first, RowCount = count, Keys = rows, Values = rows });
            }
        }
        Cache.Commit(table, _settings.Depth);
        Squeezer.SetRung(table, Cache.Rungs.Count - 1);
        Squeeze(table);
        return table;
    }

    // Not part of the measured time: what it costs is measured by itself.
    private void Squeeze(PageTable table)
    {
        while (Cache.StepTowardsRung(table).Outcome == SqueezeOutcome.Worked)
        {
        }
    }

    private void Reserve(PageTable table, int tokens)
    {
        if (!Cache.TryReserve(table, tokens))
        {
            throw new InvalidOperationException(
                $"The benchmark's cache has no room for {tokens:N0} tokens of a sequence: {Cache.UsedBytes:N0} of {Cache.BudgetBytes:N0} bytes are in use.");
        }
    }
}
