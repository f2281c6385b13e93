using Concertina.Compute.Engine;

namespace Concertina.Grains.Tests.Fakes;

internal sealed class FakeHandle(FakeEngine engine, SequenceIdentity identity) : SequenceHandle
{
    private int[] _tokens = [];
    private FakeGeneration? _running;
    private bool _disposed;

    public override SequenceIdentity Identity { get; } = identity;

    public override int TokenCount => _tokens.Length;

    public override int WarmTokens => _warm;

    private int _warm;

    public override long KvBytes => 4096L * _warm;

    public override bool Exact => true;

    public override string Rung => _rung;

    private string _rung = "f16";

    public override bool Busy => _running is { End: null };

    public int[] Restored { get; private set; } = [];

    public override ValueTask<SubmitResult> SubmitAsync(GenerationSpec spec, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Assert.False(Busy, "A second generation was submitted while one runs: the session's writer flag failed.");
        SubmitResult result = engine.Submit(this, spec);
        if (result.Generation is FakeGeneration generation)
        {
            int common = spec.Prompt.Span.CommonPrefixLength(_tokens.AsSpan(0, _warm));
            generation.SetCached(Math.Min(common, spec.Prompt.Length - 1));
            _running = generation;
        }
        return ValueTask.FromResult(result);
    }

    /// <summary>What the next copy of the tokens fails with; null: it works.</summary>
    public Exception? CopyFault { get; set; }

    public override int[] CopyTokens() => CopyFault is { } fault ? throw fault : Busy ? [] : [.. _tokens];

    public override void RestoreTokens(ReadOnlySpan<int> tokens) => Restored = _tokens = tokens.ToArray();

    /// <summary>A close that takes until this completes.</summary>
    public Task Closing { get; set; } = Task.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        _disposed = true;
        _running?.Cancel();
        engine.Close(this);
        await Closing;
    }

    /// <summary>What it was told of its files, in order.</summary>
    public List<long?> Kept { get; } = [];

    /// <summary>Times its units were to go to the page file.</summary>
    public int Spills { get; private set; }

    public override void Keep(long? epoch) => Kept.Add(epoch);

    public override Task SpillAsync()
    {
        Assert.False(_disposed, "It was closed before it was spilled.");
        Spills++;
        return Task.CompletedTask;
    }

    internal void MoveTo(string rung) => _rung = rung;

    internal void Become(int[] tokens)
    {
        _tokens = tokens;
        _warm = tokens.Length;
    }
}
