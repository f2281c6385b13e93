using System.Runtime.CompilerServices;
using Concertina.Contracts.Sessions;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>Generations to choose from.</summary>
internal static class Scripts
{
    /// <summary>Answers with a text and the end of the turn, as an engine would: limits, stop tokens and cancels are honoured.</summary>
    public static Script Say(string text, int tokensPerChunk = 1) => Emit(_ => [.. Demo.Tokens(text), Demo.EndOfTurn], tokensPerChunk);

    /// <summary>Answers by a rule.</summary>
    public static Script Emit(Func<ScriptRun, int[]> answer, int tokensPerChunk = 1) =>
        (run, cancellation) => Run(run, answer(run), tokensPerChunk, cancellation);

    /// <summary>A stand-in for a model: each next word is drawn from (seed, position); greedy takes the first.</summary>
    public static Script Babble(int words = 12) => Emit(run =>
    {
        string[] choices = ["red", "green", "blue", "black", "white", "gold", "grey", "pink"];
        SamplingSettings sampling = run.Request.Sampling;
        bool greedy = sampling.Temperature == 0 || sampling.TopK == 1;
        IEnumerable<string> drawn = Enumerable.Range(0, words).Select(position =>
            choices[greedy ? position % choices.Length : new Random(HashOf(sampling.Seed, position)).Next(choices.Length)]);
        return [.. Demo.Tokens(string.Join(' ', drawn)), Demo.EndOfTurn];
    });

    /// <summary>Only a refusal.</summary>
    public static Script Refuse(RefusalReason reason, int? retryAfterMs = null) => (_, _) => new[]
    {
        new TokenChunk { Refusal = new Refusal { Reason = reason, Message = $"Refused: {reason}.", RetryAfterMs = retryAfterMs } },
    }.ToAsyncEnumerable();

    /// <summary>Some words, then nothing until the reader goes.</summary>
    public static Script SayThenHang(string text) => SayThenHangCore(text);

    /// <summary>Some words, then an error of the engine.</summary>
    public static Script SayThenFail(string text) => (run, _) => new[]
    {
        new TokenChunk { Admission = run.Admission },
        new TokenChunk { Tokens = TokenPacking.Pack(Demo.Tokens(text)) },
        new TokenChunk
        {
            Index = Demo.Tokens(text).Length,
            Finish = new FinishFacts
            {
                Reason = FinishReason.Error,
                ErrorCode = "decode/not-finite",
                ErrorMessage = "Logits of layer 3 are not finite.",
                GeneratedTokens = Demo.Tokens(text).Length,
            },
        },
    }.ToAsyncEnumerable();

    public static FinishFacts Finish(FinishReason reason, int tokens, int? stopToken = null) =>
        new() { Reason = reason, GeneratedTokens = tokens, StopToken = stopToken, KvBytes = 4_096 };

    private static Script SayThenHangCore(string text) => (run, cancellation) => Hang(run, Demo.Tokens(text), cancellation);

    private static async IAsyncEnumerable<TokenChunk> Hang(ScriptRun run, int[] tokens, [EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return new TokenChunk { Admission = run.Admission };
        yield return new TokenChunk { Tokens = TokenPacking.Pack(tokens) };
        await run.Cancelled.WaitAsync(cancellation);
        yield return new TokenChunk { Index = tokens.Length, Finish = Finish(FinishReason.Cancelled, tokens.Length) };
    }

    private static async IAsyncEnumerable<TokenChunk> Run(
        ScriptRun run, int[] answer, int tokensPerChunk, [EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return new TokenChunk { Admission = run.Admission };
        int stop = Array.FindIndex(answer, run.Request.StopTokens.Contains);
        int limit = Math.Min(run.Request.MaxNewTokens ?? int.MaxValue, run.ContextTokens - run.Prompt.Length);
        int count = Math.Min(stop < 0 ? answer.Length : stop + 1, limit);
        for (int at = 0; at < count; at += tokensPerChunk)
        {
            await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
            if (run.Cancelled.IsCompleted)
            {
                yield return new TokenChunk { Index = at, Finish = Finish(FinishReason.Cancelled, at) };
                yield break;
            }
            yield return new TokenChunk { Index = at, Tokens = TokenPacking.Pack(answer.AsSpan(at, Math.Min(tokensPerChunk, count - at))) };
        }
        bool stopped = stop >= 0 && count == stop + 1;
        yield return new TokenChunk
        {
            Index = count,
            Finish = stopped ? Finish(FinishReason.Stop, count, answer[stop]) : Finish(FinishReason.Length, count),
        };
    }

    private static int HashOf(long seed, int position) => unchecked((int)((seed * 6_364_136_223_846_793_005L) + (position * 7_919)));
}
