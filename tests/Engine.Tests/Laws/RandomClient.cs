using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Sampling;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Laws;

/// <summary>One session of the random law test: what it asked, what it read, and what that must have been.</summary>
internal sealed class RandomClient(EngineBench bench, string tenant, int number)
{
    private readonly Sampler _sampler = new(HashModel.VocabularySize);
    private readonly List<int> _read = [];
    private GenerationSpec? _spec;
    private TokenStream? _stream;
    private int? _keep;

    public SequenceHandle Handle { get; private set; } = bench.Open(tenant, $"s{number}");

    public bool Busy => _stream is not null;

    public bool Closed { get; private set; }

    /// <summary>Readers of this client never read; its generations end as slow ones or by a cancel.</summary>
    public bool NeverReads { get; init; }

    public Dictionary<string, int> Ends { get; } = [];

    public RefusalKind? Submit(GenerationSpec spec)
    {
        SubmitResult result = EngineBench.TrySubmit(Handle, spec);
        Assert.True(result.Generation is null != result.Refusal is null);
        if (result.Refusal is { } refusal)
        {
            Assert.NotEmpty(refusal.Message);
            return refusal.Kind;
        }
        _spec = spec;
        _stream = (TokenStream)result.Generation!;
        _read.Clear();
        _keep = null;
        return null;
    }

    public void Cancel(int? keep)
    {
        if (_stream is { IsCancelled: false, End: null } stream)
        {
            _keep = keep ?? _read.Count;
            stream.Cancel(keep);
        }
    }

    public void Read(bool always)
    {
        if (_stream is null || (NeverReads && !always && _stream.End is null))
        {
            return;
        }
        _read.AddRange(EngineBench.Read(_stream));
        if (_stream.End is { } end)
        {
            _read.AddRange(EngineBench.Read(_stream));
            Check(end);
            _stream = null;
        }
    }

    public void Close()
    {
        Closed = true;
        _keep ??= _stream is null ? null : int.MaxValue;
        bench.Close(Handle);
        Read(always: true);
    }

    private void Check(GenerationEnd end)
    {
        int[] prompt = _spec!.Prompt.ToArray();
        SamplingSpec sampling = _spec.Sampling;
        int[] expected = HashModel.Generate(prompt, end.GeneratedTokens, (logits, position) =>
        {
            Assert.True(_sampler.TryDraw(logits.Span, sampling, position, out int token));
            return token;
        });
        string kind = end.ErrorCode ?? end.Kind.ToString();
        Ends[kind] = Ends.GetValueOrDefault(kind) + 1;

        Assert.Equal(expected[.._read.Count], _read);
        if (end.Kind == FinishKind.Length)
        {
            int full = Math.Min(HashModel.ContextLength, (int)Math.Min(int.MaxValue, (long)prompt.Length + (_spec.MaxNewTokens ?? int.MaxValue)));
            Assert.Equal(full - prompt.Length, end.GeneratedTokens);
        }
        if (_keep is null)
        {
            Assert.NotEqual(FinishKind.Cancelled, end.Kind);
            Assert.Equal(expected.Length, _read.Count);
        }
        if (end.Refusal is null && !Closed && (end.Kind != FinishKind.Cancelled || end.GeneratedTokens > 0))
        {
            int kept = Math.Min(_keep ?? int.MaxValue, end.GeneratedTokens);
            Assert.Equal([.. prompt, .. expected[..kept]], Handle.CopyTokens());
        }
    }
}
