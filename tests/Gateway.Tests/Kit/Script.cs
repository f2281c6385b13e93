using Concertina.Contracts.Sessions;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>The chunks of one generation.</summary>
/// <param name="run">Request, prompt and admission of the generation.</param>
/// <param name="cancellation">Cancelled when the reader has gone.</param>
internal delegate IAsyncEnumerable<TokenChunk> Script(ScriptRun run, CancellationToken cancellation);

/// <summary>What a script knows.</summary>
internal sealed record ScriptRun(GenerateRequest Request, int[] Prompt, AdmissionFacts Admission)
{
    /// <summary>Completes when the request is cancelled by name; the number of tokens to keep.</summary>
    public required Task<int> Cancelled { get; init; }

    /// <summary>Longest sequence of the model.</summary>
    public required int ContextTokens { get; init; }
}
