using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Concertina.Contracts.Sessions;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>A session grain that plays the cluster's script.</summary>
internal sealed class FakeSequence(FakeCluster cluster, string key) : ISequenceGrain
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<int>> _cancels = new();
    private readonly ConcurrentDictionary<string, List<int>> _staged = new();

    private static readonly SessionStatus Nothing = new(false, false, 0, 0, 0, true, "f16");

    /// <summary>What the session holds.</summary>
    public SessionStatus Held { get; set; } = Nothing;

    /// <summary>Tokens to keep, by request id, as the gateway said in its cancel.</summary>
    public ConcurrentDictionary<string, int> Kept { get; } = new();

    public async IAsyncEnumerable<TokenChunk> Generate(GenerateRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        cluster.Requests.Enqueue(request);
        Assert.Equal(key.Split('/')[0], request.TenantId);
        int[] prompt = request.Prompt.Length > 0 ? TokenPacking.Unpack(request.Prompt) : [.. _staged[request.RequestId]];
        Assert.Equal(request.PromptTokens, prompt.Length);
        int cached = cluster.Memory.Remember($"{request.TenantId}|{request.CacheSalt}", prompt);
        ScriptRun run = new(request, prompt, new AdmissionFacts(prompt.Length, cached, cluster.Facts!.DeterminismClass))
        {
            Cancelled = CancelOf(request.RequestId).Task,
            ContextTokens = cluster.Facts.ContextLength,
        };
        cluster.Started.Raise(request.RequestId);
        cluster.Started.Raise("any");
        bool ended = false;
        try
        {
            await foreach (TokenChunk chunk in cluster.Script(run, cancellation).WithCancellation(cancellation))
            {
                ended = chunk.Finish is not null and { Reason: not FinishReason.Cancelled } || chunk.Refusal is not null;
                yield return chunk;
            }
        }
        finally
        {
            if (!ended)
            {
                cluster.Cancelled.Raise(request.RequestId);
                cluster.Cancelled.Raise("any");
            }
        }
    }

    public Task Stage(PromptPart part, CancellationToken cancellation = default)
    {
        Assert.InRange(part.Tokens.Length, 1, TokenPacking.MaxMessageBytes);
        List<int> staged = _staged.GetOrAdd(part.RequestId, static _ => []);
        Assert.Equal(staged.Count, part.TokenOffset);
        staged.AddRange(TokenPacking.Unpack(part.Tokens));
        return Task.CompletedTask;
    }

    public Task<bool> Expire(CancellationToken cancellation = default) => Task.FromResult(false);

    public Task Cancel(string requestId, int keepTokens, CancellationToken cancellation = default)
    {
        Kept[requestId] = keepTokens;
        CancelOf(requestId).TrySetResult(keepTokens);
        return Task.CompletedTask;
    }

    public Task<SessionStatus> Status(CancellationToken cancellation = default) => Task.FromResult(Held);

    public Task Delete(CancellationToken cancellation = default)
    {
        Held = Nothing;
        return Task.CompletedTask;
    }

    private TaskCompletionSource<int> CancelOf(string requestId) =>
        _cancels.GetOrAdd(requestId, static _ => new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously));
}
