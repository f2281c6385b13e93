using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Spill;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs.F16;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Engine.Tests.Kit;

/// <summary>A manual engine on the real cache with the fake runner and a clock that stands still. Checks every law after every step.</summary>
internal sealed class EngineBench : IAsyncDisposable
{
    private readonly CacheParts _parts;
    private int _requests;

    /// <param name="options">Limits; the defaults if null.</param>
    /// <param name="columns">Columns of 64 tokens that commitments may add up to, about.</param>
    /// <param name="contextLength">Context of the model.</param>
    /// <param name="parts">Codecs and rungs of the cache; the lossless rung alone if null.</param>
    /// <param name="ladder">Facts of the rungs; without measures if null.</param>
    /// <param name="pages">Where idle sequences are spilled to; nowhere if null.</param>
    public EngineBench(
        EngineOptions? options = null, int columns = 2000, int contextLength = HashModel.ContextLength, CacheParts? parts = null,
        IReadOnlyList<KvRungFacts>? ladder = null, SessionPages? pages = null)
    {
        _parts = parts ?? CacheParts.Lossless(new F16Codec());
        options ??= new EngineOptions();
        Cache = NewCache(BudgetFor(columns, pages is null ? null : options));
        Runner = new FakeRunner(Cache, contextLength: contextLength);
        Engine = new InferenceEngine(Runner, Cache, options, new EngineServices { Time = Time, Ladder = ladder, Manual = true, Pages = pages });
        EmptyBytes = Cache.UsedBytes;
    }

    public PagedKvCache Cache { get; }

    public FakeRunner Runner { get; }

    public FakeTimeProvider Time { get; } = new();

    public InferenceEngine Engine { get; }

    public long EmptyBytes { get; }

    public SequenceHandle Open(string tenant = "tenant", string session = "s") =>
        Engine.Open(new SequenceIdentity($"{tenant}/{session}", tenant, PrefixScope.For(tenant, null)));

    public GenerationSpec Spec(int[] prompt, int? maxNewTokens = 8) =>
        new() { RequestId = $"r{++_requests}", Prompt = prompt, MaxNewTokens = maxNewTokens };

    public static int[] Prompt(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(HashModel.VocabularySize))];
    }

    public static SubmitResult TrySubmit(SequenceHandle handle, GenerationSpec spec)
    {
        Task<SubmitResult> submit = handle.SubmitAsync(spec, CancellationToken.None).AsTask();
        Assert.True(submit.IsCompletedSuccessfully, "The submit waits.");
        return submit.Result;
    }

    public static TokenStream Submit(SequenceHandle handle, GenerationSpec spec)
    {
        SubmitResult result = TrySubmit(handle, spec);
        Assert.True(result.Refusal is null, result.Refusal?.Message);
        return (TokenStream)result.Generation!;
    }

    public TokenStream Submit(int[] prompt, int? maxNewTokens = 8, string tenant = "tenant") =>
        Submit(Open(tenant), Spec(prompt, maxNewTokens));

    /// <summary>False: nobody reads or writes page files, as if the disk were slow.</summary>
    public bool RunsPageFiles { get; set; } = true;

    /// <summary>Preemptions that a test provoked; none else may happen.</summary>
    public long Preemptions { get; set; }

    /// <summary>One step, then every law.</summary>
    public bool Step()
    {
        if (RunsPageFiles)
        {
            Engine.Desk?.Worker.RunPending();
        }
        bool moved = Engine.StepOnce();
        Assert.Null(Engine.Snapshot.Failure);
        Assert.Equal(0, Engine.Snapshot.FloorViolations);
        Assert.Equal(Preemptions, Engine.Snapshot.Preemptions);
        Engine.CheckLaws();
        Cache.CheckIntegrity();
        return moved;
    }

    public void Steps(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Step();
        }
    }

    /// <summary>What can be read without waiting.</summary>
    public static int[] Read(TokenStream stream)
    {
        List<int> tokens = [];
        int[] some = new int[16];
        while (stream.TryRead(some, out int count) && count > 0)
        {
            tokens.AddRange(some.AsSpan(0, count));
        }
        return [.. tokens];
    }

    /// <summary>Steps and reads until the generation ended.</summary>
    public int[] Finish(TokenStream stream)
    {
        List<int> tokens = [];
        for (int step = 0; step < 10_000; step++)
        {
            tokens.AddRange(Read(stream));
            if (stream.End is not null)
            {
                tokens.AddRange(Read(stream));
                return [.. tokens];
            }
            Step();
        }
        throw new InvalidOperationException($"Generation {stream.RequestId} does not end: {Engine.Snapshot}.");
    }

    /// <summary>Disposes a handle and runs the step that frees its units.</summary>
    public void Close(SequenceHandle handle)
    {
        ValueTask closed = handle.DisposeAsync();
        Step();
        Assert.True(closed.IsCompleted, "The units are back within one step.");
    }

    /// <summary>The budget whose promisable part is that many columns; tables grow with the budget, so it is approached.</summary>
    private long BudgetFor(int columns, EngineOptions? spills)
    {
        long budgetBytes = 32 << 20;
        for (int round = 0; round < 6; round++)
        {
            using PagedKvCache probe = NewCache(budgetBytes);
            long wanted = columns * (probe.CommitmentBytes(64 * 16) / 16) + probe.CommitmentBytes(64) / 4;
            long reserve = spills is null ? 0 : 2 * SpillReserve.BytesFor(probe, spills);
            budgetBytes += wanted + reserve - probe.CommittableBytes;
        }
        return budgetBytes;
    }

    private PagedKvCache NewCache(long budgetBytes) =>
        new(FakeRunner.Shape, new KvCacheOptions { BudgetBytes = budgetBytes, TranscodeReserveShare = 0 }, _parts);

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        Cache.CheckIntegrity();
        Cache.DropUnreferenced(long.MaxValue);
        Assert.Equal(EmptyBytes, Cache.UsedBytes);
        Runner.Dispose();
        Cache.Dispose();
    }
}
