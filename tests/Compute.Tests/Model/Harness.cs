using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;

namespace Concertina.Compute.Tests.Model;

/// <summary>A runner with its cache and batch, and the few steps tests take with them.</summary>
internal sealed class Harness : IDisposable
{
    public Harness(ModelSource source, CpuRunnerOptions? options = null, long budgetBytes = 64 << 20, string codec = "f16")
    {
        options ??= new CpuRunnerOptions { MaxStepRows = 256, MaxLogitRows = 256, Threads = 1 };
        Cache = new(source.Config.ToKvShape(), new KvCacheOptions { BudgetBytes = budgetBytes, Codec = codec });
        Runner = CpuModelRunner.Create(source, Cache, options);
        Batch = new(options.MaxStepRows, options.MaxLogitRows, source.Config.VocabularySize);
    }

    /// <summary>A runner whose cache has rungs.</summary>
    public Harness(ModelSource source, CacheParts parts)
    {
        var options = new CpuRunnerOptions { MaxStepRows = 256, MaxLogitRows = 256, Threads = 1 };
        Cache = new(source.Config.ToKvShape(), new KvCacheOptions { BudgetBytes = 64 << 20 }, parts);
        Runner = CpuModelRunner.Create(source, Cache, options);
        Batch = new(options.MaxStepRows, options.MaxLogitRows, source.Config.VocabularySize);
    }

    public PagedKvCache Cache { get; }

    public CpuModelRunner Runner { get; }

    public StepBatch Batch { get; }

    public PageTable NewTable() => Cache.CreateTable();

    /// <summary>Adds rows to the step being filled.</summary>
    public void Add(PageTable table, int firstPosition, ReadOnlySpan<int> tokens, int logitRows)
    {
        Assert.True(Cache.TryReserve(table, firstPosition + tokens.Length));
        Batch.Add(table, firstPosition, tokens, logitRows);
    }

    /// <summary>Runs the step, commits its rows, and returns a copy of its logits, one array per logit row.</summary>
    public float[][] Run()
    {
        Runner.Forward(Batch);
        foreach (StepSpan span in Batch.Spans)
        {
            Cache.Commit(span.Table, span.FirstPosition + span.RowCount);
        }
        float[][] logits = [.. Enumerable.Range(0, Batch.LogitRowCount).Select(row => Batch.Logits(row).ToArray())];
        Batch.Clear();
        return logits;
    }

    /// <summary>Feeds tokens to a new sequence in chunks of the given sizes (repeated) and returns the logits of every row.</summary>
    public float[][] Feed(ReadOnlySpan<int> tokens, params int[] chunks)
    {
        PageTable table = NewTable();
        List<float[]> logits = [];
        int position = 0;
        for (int i = 0; position < tokens.Length; i++)
        {
            int count = Math.Min(chunks[i % chunks.Length], tokens.Length - position);
            Add(table, position, tokens.Slice(position, count), count);
            logits.AddRange(Run());
            position += count;
        }
        Cache.Release(table);
        return [.. logits];
    }

    public void Dispose()
    {
        Runner.Dispose();
        Cache.Dispose();
    }
}
