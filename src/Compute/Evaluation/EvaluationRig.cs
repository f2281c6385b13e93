using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Evaluation;

/// <summary>
/// A model with a cache that has the rungs under evaluation, without an engine: sequences are stepped by hand and squeezed
/// after each step, as live sessions are. One thread at a time.
/// </summary>
public sealed class EvaluationRig : IDisposable
{
    private readonly int _rows;
    private readonly bool _owns;

    /// <summary>Makes it. The source may be disposed afterwards.</summary>
    /// <exception cref="ArgumentException">A rung is unknown or needs codebooks that the profile lacks, or the budget is too small.</exception>
    public EvaluationRig(ModelSource source, KvProfile? profile, EvaluationSettings settings)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(settings);
        Settings = settings;
        Rungs = [.. settings.Rungs.Where(name => name != "f16").Select(RungCatalog.Parse)];
        if (settings.SqueezesWindow && Rungs.FirstOrDefault(rung => rung.KeepOneIn > 1) is { } evicting)
        {
            throw new ArgumentException($"Rung '{evicting.Name}' evicts, and eviction keeps the first page and the recent window exact.", nameof(settings));
        }
        _rows = Math.Max(settings.ChunkTokens * (Rungs.Count + 1), 256);
        Config = source.Config;
        Cache = new PagedKvCache(Config.ToKvShape(), new KvCacheOptions { BudgetBytes = settings.BudgetBytes }, new CacheParts
        {
            Open = new F16Codec(),
            Codecs = ModelCache.CodecsWithArms(source, profile, Rungs),
            Rungs = Rungs,
            KeepsDecisions = ModelCache.KeepsDecisions(source, Rungs),
            Eviction = EvictionModes.Find(settings.Eviction),
            SqueezesWindow = settings.SqueezesWindow,
        });
        try
        {
            Runner = CpuModelRunner.Create(source, Cache, new CpuRunnerOptions
            {
                MaxStepRows = _rows,
                MaxLogitRows = _rows,
                Threads = settings.ThreadCount,
            });
        }
        catch
        {
            Cache.Dispose();
            throw;
        }
        Batch = new StepBatch(_rows, _rows, Config.VocabularySize);
        _owns = true;
    }

    /// <summary>Borrows a runner and its cache, whose rungs are evaluated; nobody else may use them meanwhile.</summary>
    /// <param name="runner">The runner; its most logit rows bound a step.</param>
    /// <param name="cache">Its cache.</param>
    /// <param name="threads">Threads that compare; 0: one per core.</param>
    internal EvaluationRig(IModelRunner runner, PagedKvCache cache, int threads)
    {
        Rungs = [.. Enumerable.Range(1, cache.Rungs.Count - 1).Select(rung => cache.Rungs[rung].Rung)];
        _rows = Math.Min(runner.MaxLogitRows, runner.MaxRows);
        Settings = new EvaluationSettings { Rungs = RungNames, ChunkTokens = Math.Max(1, _rows / cache.Rungs.Count), Threads = threads };
        Config = runner.Config;
        Cache = cache;
        Runner = runner;
        Batch = new StepBatch(_rows, _rows, Config.VocabularySize);
    }

    /// <summary>Sizes.</summary>
    public EvaluationSettings Settings { get; }

    /// <summary>Shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>The rungs below lossless; rung i + 1 of the cache is number i.</summary>
    internal IReadOnlyList<Rung> Rungs { get; }

    /// <summary>Names of the rungs below lossless.</summary>
    public IReadOnlyList<string> RungNames => [.. Rungs.Select(rung => rung.Name)];

    /// <summary>Bytes of codebooks that a rung's codecs read, once for all sequences; 0 for codecs without.</summary>
    /// <param name="rung">Rung of the cache; 0 is lossless.</param>
    public long CodebookBytes(int rung)
    {
        PageFormat page = Cache.Rungs[rung].Page;
        // commvq1 reads the books of commvq2, which counts them.
        IKvCodec keys = page.KeyCodec.Id == CodecId.CommVq1 ? Cache.Codecs.Get(CodecId.CommVq2) : page.KeyCodec;
        IKvCodec values = page.ValueCodec.Id == CodecId.CommVq1 ? Cache.Codecs.Get(CodecId.CommVq2) : page.ValueCodec;
        return keys.ModelBytes(KvSide.Keys) + values.ModelBytes(KvSide.Values);
    }

    internal PagedKvCache Cache { get; }

    internal IModelRunner Runner { get; }

    internal StepBatch Batch { get; }

    /// <summary>Most rows of a step.</summary>
    internal int MaxRows => _rows;

    /// <summary>An empty table on a rung of the cache; 0 is lossless.</summary>
    internal PageTable NewTable(int rung)
    {
        PageTable table = Cache.CreateTable();
        Squeezer.SetRung(table, rung);
        return table;
    }

    /// <summary>An empty lossless table that keeps its last queries, so that forks of it can be evicted at once.</summary>
    internal PageTable NewObservedTable()
    {
        PageTable table = NewTable(rung: 0);
        table.KeepsQueries = Cache.Rungs.Observes;
        if (Cache.Rungs.Observes && !Cache.Interior.Observations.TryAttach(table))
        {
            throw TooSmall(0);
        }
        return table;
    }

    /// <summary>A second table over the same units, on a rung.</summary>
    /// <exception cref="InvalidOperationException">The budget is too small for it.</exception>
    internal PageTable Fork(PageTable table, int rung)
    {
        if (!Cache.TryFork(table, out PageTable fork))
        {
            throw TooSmall(table.TokenCount);
        }
        Squeezer.SetRung(fork, rung);
        fork.KeepsQueries = table.KeepsQueries;
        if (Cache.Rungs.Observes && !Cache.Interior.Observations.TryCopy(table, fork))
        {
            Cache.Release(fork);
            throw TooSmall(table.TokenCount);
        }
        return fork;
    }

    /// <summary>Moves tables all the way to a rung.</summary>
    internal void MoveTo(ReadOnlySpan<PageTable> tables, int rung)
    {
        foreach (PageTable table in tables)
        {
            Squeezer.SetRung(table, rung);
            Squeeze(table);
        }
    }

    /// <summary>Adds rows of a sequence to the step.</summary>
    /// <exception cref="InvalidOperationException">The budget is too small for them.</exception>
    internal void Add(PageTable table, ReadOnlySpan<int> tokens, int logitRows)
    {
        if (!Cache.TryReserve(table, table.TokenCount + tokens.Length))
        {
            throw TooSmall(table.TokenCount + tokens.Length);
        }
        Batch.Add(table, table.TokenCount, tokens, logitRows);
    }

    /// <summary>Runs the step, commits it, and squeezes what left the window. The logits stay until the next <see cref="Clear"/>.</summary>
    internal void Run()
    {
        Runner.Forward(Batch);
        foreach (StepSpan span in Batch.Spans)
        {
            Cache.Commit(span.Table, span.FirstPosition + span.RowCount);
        }
        foreach (StepSpan span in Batch.Spans)
        {
            Squeeze(span.Table);
        }
    }

    /// <summary>Forgets the step.</summary>
    internal void Clear() => Batch.Clear();

    /// <summary>Computes a text into a table, without logits.</summary>
    internal void Prefill(PageTable table, ReadOnlySpan<int> tokens)
    {
        while (!tokens.IsEmpty)
        {
            int count = Math.Min(tokens.Length, _rows);
            Clear();
            Add(table, tokens[..count], 0);
            Run();
            tokens = tokens[count..];
        }
        Clear();
    }

    /// <summary>Moves a table all the way to its rung.</summary>
    /// <exception cref="InvalidOperationException">The budget has no room for the copies.</exception>
    internal void Squeeze(PageTable table)
    {
        SqueezeOutcome outcome;
        do
        {
            outcome = Cache.StepTowardsRung(table).Outcome;
        }
        while (outcome == SqueezeOutcome.Worked);
        if (outcome == SqueezeOutcome.NoRoom)
        {
            throw TooSmall(table.TokenCount);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_owns)
        {
            Runner.Dispose();
            Cache.Dispose();
        }
    }

    private InvalidOperationException TooSmall(int tokens) => new(
        $"The evaluation's KV budget of {Cache.BudgetBytes:N0} bytes has no room for a sequence of {tokens:N0} tokens beside the others; " +
        $"{Cache.UsedBytes:N0} bytes are in use. Give it more (--kv-budget), or evaluate fewer rungs at once.");
}
