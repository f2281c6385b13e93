using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;

namespace Concertina.Silo.Models;

/// <summary>Runs the engine once before anyone asks, so that kernels are compiled and weights are in memory.</summary>
internal static class WarmUp
{
    private const int PromptTokens = 40;
    private const int NewTokens = 16;

    /// <summary>Prefills and decodes a few tokens. Shorter than a column, so that nothing stays in the prefix cache.</summary>
    /// <exception cref="InvalidOperationException">The dry run did not end as it should; the message says where.</exception>
    public static async Task Run(IInferenceEngine engine, int vocabularySize, CancellationToken cancellation)
    {
        SequenceIdentity identity = new("~warm-up/~1", "~warm-up", PrefixScope.For("~warm-up", null));
        await using SequenceHandle handle = engine.Open(identity);
        GenerationSpec spec = new()
        {
            RequestId = "warm-up",
            Prompt = Enumerable.Range(0, PromptTokens).Select(index => index % vocabularySize).ToArray(),
            MaxNewTokens = NewTokens,
        };
        SubmitResult result = await handle.SubmitAsync(spec, cancellation);
        if (result.Generation is not { } generation)
        {
            throw new InvalidOperationException($"The engine refused its first request: {result.Refusal!.Message}");
        }
        int[] tokens = new int[NewTokens];
        while (await generation.ReadAsync(tokens, cancellation) > 0)
        {
        }
        if (generation.End is { Kind: FinishKind.Error } end)
        {
            throw new InvalidOperationException($"The engine failed its first request at {end.ErrorCode}: {end.ErrorMessage}");
        }
    }
}
