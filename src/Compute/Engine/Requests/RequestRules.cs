using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.Model;

namespace Concertina.Compute.Engine;

/// <summary>Whether a request could ever run here, and how much it may take. Pure; any thread.</summary>
internal sealed class RequestRules(
    ModelConfig model, CommitmentTable commitments, IReadOnlyList<KvRungFacts> ladder, int defaultNewTokens)
{
    private readonly int _longestTokens = commitments.LongestTokens();

    /// <summary>Checks what does not change with load.</summary>
    /// <returns>Why it can never run; null: it can, within the bounds.</returns>
    public EngineRefusal? Check(GenerationSpec spec, out RunBounds bounds)
    {
        bounds = default;
        if (Malformed(spec) is { } problem)
        {
            return new EngineRefusal(RefusalKind.Invalid, problem);
        }
        if (Malformed(spec.Kv) is { } refusal)
        {
            return refusal;
        }
        int promptTokens = spec.Prompt.Length;
        if (promptTokens >= model.ContextLength)
        {
            return new EngineRefusal(
                RefusalKind.ContextLength,
                $"This model's maximum context length is {model.ContextLength} tokens. The prompt has {promptTokens} tokens, " +
                $"and at least 1 token must fit after it. Shorten the prompt to {model.ContextLength - 1} tokens.");
        }
        bounds = Bounds(spec, promptTokens);
        return bounds.TokenLimit > promptTokens && bounds.FullBytes <= commitments.CapacityBytes ? null : NeverFits(spec);
    }

    private RunBounds Bounds(GenerationSpec spec, int promptTokens)
    {
        if (spec.MaxNewTokens is { } most)
        {
            int limit = (int)Math.Min((long)promptTokens + most, model.ContextLength);
            return new RunBounds(limit, commitments.Bytes(limit), limit, commitments.Bytes(limit), EndsAtBudget: false);
        }
        int longest = Math.Min(model.ContextLength, _longestTokens);
        int first = (int)Math.Min((long)promptTokens + defaultNewTokens, Math.Max(longest, promptTokens));
        return new RunBounds(
            longest, commitments.Bytes(longest), first, commitments.Bytes(first), EndsAtBudget: longest < model.ContextLength);
    }

    private EngineRefusal NeverFits(GenerationSpec spec)
    {
        int newTokens = spec.MaxNewTokens ?? 1;
        int tokens = (int)Math.Min((long)spec.Prompt.Length + newTokens, model.ContextLength);
        long needed = commitments.Bytes(tokens);
        return new EngineRefusal(
            RefusalKind.NeverFits,
            $"A sequence of {tokens} tokens ({spec.Prompt.Length} of the prompt and {tokens - spec.Prompt.Length} new) needs " +
            $"{needed:N0} bytes of KV cache; the budget can promise {commitments.CapacityBytes:N0} bytes, {_longestTokens} tokens. " +
            "Ask for fewer new tokens, shorten the prompt, or raise KvCache:BudgetBytes.",
            NeededBytes: needed,
            AvailableBytes: commitments.CapacityBytes);
    }

    private string? Malformed(GenerationSpec spec)
    {
        if (string.IsNullOrEmpty(spec.RequestId))
        {
            return "The request has no id.";
        }
        if (spec.Prompt.IsEmpty)
        {
            return "The prompt has 0 tokens; at least 1 is needed.";
        }
        if (FirstOutside(spec.Prompt.Span) is { } wrong)
        {
            return $"Prompt token {wrong.Index} is {wrong.Token}; token ids lie between 0 and {model.VocabularySize - 1}.";
        }
        if (FirstOutside(spec.StopTokens.Span) is { } wrongStop)
        {
            return $"Stop token {wrongStop.Index} is {wrongStop.Token}; token ids lie between 0 and {model.VocabularySize - 1}.";
        }
        if (spec.MaxNewTokens is < 1)
        {
            return $"The limit of new tokens is {spec.MaxNewTokens}; at least 1 is needed.";
        }
        if (!double.IsFinite(spec.Weight) || spec.Weight <= 0)
        {
            return $"The scheduling weight is {spec.Weight}; a finite number above 0 is needed.";
        }
        return Malformed(spec.Sampling);
    }

    private static string? Malformed(in SamplingSpec sampling)
    {
        if (!float.IsFinite(sampling.Temperature) || sampling.Temperature < 0)
        {
            return $"temperature is {sampling.Temperature}; a finite number of at least 0 is needed.";
        }
        if (sampling.TopK < 0)
        {
            return $"top_k is {sampling.TopK}; 0 (off) or more is needed.";
        }
        if (!(sampling.TopP > 0 && sampling.TopP <= 1))
        {
            return $"top_p is {sampling.TopP}; a number above 0 and at most 1 is needed.";
        }
        return sampling.MinP >= 0 && sampling.MinP <= 1 ? null : $"min_p is {sampling.MinP}; a number between 0 and 1 is needed.";
    }

    private EngineRefusal? Malformed(KvSpec kv)
    {
        if (kv.FloorRung is { } floor && !ladder.Any(rung => rung.Name == floor))
        {
            return Invalid("kv.floor", $"This model has no rung '{floor}'; its ladder is {string.Join(", ", ladder.Select(rung => rung.Name))}.");
        }
        if (kv.FloorNats is { } nats && !(double.IsFinite(nats) && nats >= 0))
        {
            return Invalid("kv.floor", $"The floor is {nats} nats per token; a finite number of at least 0 is needed.");
        }
        return kv.MaxRatio is { } ratio && !(double.IsFinite(ratio) && ratio >= 1)
            ? Invalid("kv.max_ratio", $"The largest ratio is {ratio}; a finite number of at least 1 is needed.")
            : null;
    }

    private static EngineRefusal Invalid(string param, string message) => new(RefusalKind.Invalid, message) { Param = param };

    private (int Index, int Token)? FirstOutside(ReadOnlySpan<int> tokens)
    {
        int index = tokens.IndexOfAnyExceptInRange(0, model.VocabularySize - 1);
        return index < 0 ? null : (index, tokens[index]);
    }
}
