using System.Threading.Channels;
using Concertina.Compute.Engine;

namespace Concertina.Grains.Tests.Fakes;

/// <summary>A generation whose tokens the test sends.</summary>
internal sealed class FakeGeneration(FakeHandle handle, GenerationSpec spec) : Generation
{
    private readonly Channel<int> _channel = Channel.CreateUnbounded<int>();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<int> _sent = [];
    private readonly Lock _lock = new();
    private int _read;
    private int _cached;

    /// <summary>When set, the engine "hangs": a cancel does not end the generation.</summary>
    public bool IgnoresCancel { get; set; }

    /// <summary>What the end says beyond how it ended.</summary>
    public Func<GenerationEnd, GenerationEnd> EndAs { get; set; } = end => end;

    public GenerationSpec Spec { get; } = spec;

    public int? KeptByCancel { get; private set; }

    public override string RequestId => Spec.RequestId;

    public override int PromptTokens => Spec.Prompt.Length;

    public override int CachedTokens => _cached;

    public override GenerationEnd? End => _end;

    private GenerationEnd? _end;

    public override ValueTask WaitForStartAsync(CancellationToken cancellation) => new(_started.Task.WaitAsync(cancellation));

    public override async ValueTask<int> ReadAsync(Memory<int> tokens, CancellationToken cancellation)
    {
        if (!await _channel.Reader.WaitToReadAsync(cancellation))
        {
            return 0;
        }
        int count = 0;
        while (count < tokens.Length && _channel.Reader.TryRead(out int token))
        {
            tokens.Span[count++] = token;
        }
        lock (_lock)
        {
            _read += count;
        }
        return count;
    }

    public override void Cancel(int? keepTokens = null)
    {
        lock (_lock)
        {
            if (_end is null && !IgnoresCancel)
            {
                KeptByCancel = keepTokens ?? _read;
                Finish(FinishKind.Cancelled, KeptByCancel.Value);
            }
        }
    }

    public void Send(params ReadOnlySpan<int> tokens)
    {
        lock (_lock)
        {
            foreach (int token in tokens)
            {
                Assert.Null(_end);
                _sent.Add(token);
                _channel.Writer.TryWrite(token);
            }
            _started.TrySetResult();
        }
    }

    public void Complete(FinishKind kind = FinishKind.Stop)
    {
        lock (_lock)
        {
            if (_end is null)
            {
                Finish(kind, _sent.Count);
            }
        }
    }

    internal void SetCached(int tokens) => _cached = tokens;

    private void Finish(FinishKind kind, int kept)
    {
        handle.Become([.. Spec.Prompt.Span, .. _sent.Take(kept)]);
        _end = EndAs(new GenerationEnd
        {
            Kind = kind,
            GeneratedTokens = _sent.Count,
            ErrorCode = kind == FinishKind.Error ? "decode/not-finite" : null,
            ErrorMessage = kind == FinishKind.Error ? "Layer 3 gave NaN." : null,
        });
        _channel.Writer.Complete();
        _started.TrySetResult();
    }
}
