using Concertina.Contracts.Sessions;

namespace Concertina.Grains.Tests.Sessions;

/// <summary>The reader of one generation; no step waits longer than the guard.</summary>
internal sealed class Stream : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private readonly CancellationTokenSource _gone = new();
    private readonly IAsyncEnumerator<TokenChunk> _chunks;

    public Stream(ISequenceGrain session, GenerateRequest request) => _chunks = session.Generate(request, _gone.Token).GetAsyncEnumerator(_gone.Token);

    public List<int> Tokens { get; } = [];

    public static GenerateRequest Request(string id, params int[] prompt) => new()
    {
        RequestId = id,
        TenantId = "t",
        Model = Fakes.Workers.Model,
        Prompt = TokenPacking.Pack(prompt),
        PromptTokens = prompt.Length,
    };

    /// <summary>The next chunk; token chunks must continue without a gap.</summary>
    public async Task<TokenChunk> Next()
    {
        Assert.True(await _chunks.MoveNextAsync().AsTask().WaitAsync(Guard), "The stream ended early.");
        TokenChunk chunk = _chunks.Current;
        if (chunk.Tokens.Length > 0)
        {
            Assert.Equal(Tokens.Count, chunk.Index);
            Tokens.AddRange(TokenPacking.Unpack(chunk.Tokens));
        }
        return chunk;
    }

    public async Task<AdmissionFacts> Admission() => Assert.IsType<AdmissionFacts>((await Next()).Admission);

    public async Task<Refusal> Refused()
    {
        Refusal refusal = Assert.IsType<Refusal>((await Next()).Refusal);
        Assert.False(await _chunks.MoveNextAsync().AsTask().WaitAsync(Guard));
        return refusal;
    }

    /// <summary>Reads to the end.</summary>
    public async Task<FinishFacts> Finish()
    {
        while (true)
        {
            if ((await Next()).Finish is { } finish)
            {
                Assert.False(await _chunks.MoveNextAsync().AsTask().WaitAsync(Guard), "Something followed the finish.");
                return finish;
            }
        }
    }

    /// <summary>The client goes away.</summary>
    public async Task Disconnect()
    {
        await _gone.CancelAsync();
        await _chunks.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _chunks.DisposeAsync();
        _gone.Dispose();
    }
}
