using Concertina.Compute.Allocation;
using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.Model;

namespace Concertina.Compute.Engine;

/// <summary>Whether a request could ever run here, and how much it may take. Pure; any thread.</summary>
internal sealed class RequestRules(
    ModelConfig model, CommitmentTable commitments, EngineLadder ladder, PlanLadder curve, int defaultNewTokens)
{
    /// <summary>Checks what does not change with load.</summary>
    /// <returns>Why it can never run; null: it can, within the bounds.</returns>
    public EngineRefusal? Check(GenerationSpec spec, out RunBounds bounds)
    {
        bounds = default;
        if (Malformed(spec) is { } problem)
        {
            return new EngineRefusal(RefusalKind.Invalid, problem);
        }
        int promptTokens = spec.Prompt.Length;
        if (promptTokens >= model.ContextLength)
        {
            return new EngineRefusal(
                RefusalKind.ContextLength,
                $"This model's maximum context length is {model.ContextLength} tokens. The prompt has {promptTokens} tokens, " +
                $"and at least 1 token must fit after it. Shorten the prompt to {model.ContextLength - 1} tokens.");
        }
        if (ladder.Resolve(spec.Kv, out int deepest) is { } refusal)
        {
            return refusal;
        }
        bounds = Choose(spec, deepest);
        return Fits(spec, bounds) ? null : NeverFits(spec, bounds);
    }

    /// <summary>
    /// A request is promised the bytes of its floor. It starts there in economy, else on the shallowest rung on which it could
    /// fit alone; a prompt that fits only squeezed is squeezed while it is prefilled.
    /// </summary>
    private RunBounds Choose(GenerationSpec spec, int deepest)
    {
        RunBounds bounds = Bounds(spec, deepest);
        int start = spec.Kv.Mode == KvMode.Economy ? deepest : 0;
        while (start < deepest && commitments.Bytes(bounds.FirstTokens, start) > commitments.CapacityBytes)
        {
            start++;
        }
        // Nor on one from which its floor, whose bytes it is promised, is out of reach.
        while (!curve.LeadsTo(start, deepest))
        {
            start++;
        }
        return bounds with { Rung = start };
    }

    private bool Fits(GenerationSpec spec, RunBounds bounds) =>
        bounds.TokenLimit > spec.Prompt.Length && bounds.FullBytes <= commitments.CapacityBytes;

    private RunBounds Bounds(GenerationSpec spec, int rung)
    {
        int promptTokens = spec.Prompt.Length;
        if (spec.MaxNewTokens is { } most)
        {
            int limit = (int)Math.Min((long)promptTokens + most, model.ContextLength);
            long bytes = commitments.Bytes(limit, rung);
            return new RunBounds(limit, bytes, limit, bytes, EndsAtBudget: false) { DeepestRung = rung };
        }
        int longest = Math.Min(model.ContextLength, commitments.LongestTokens(rung));
        int first = (int)Math.Min((long)promptTokens + defaultNewTokens, Math.Max(longest, promptTokens));
        return new RunBounds(
            longest, commitments.Bytes(longest, rung), first, commitments.Bytes(first, rung), EndsAtBudget: longest < model.ContextLength)
        {
            DeepestRung = rung,
        };
    }

    private EngineRefusal NeverFits(GenerationSpec spec, RunBounds bounds)
    {
        int newTokens = spec.MaxNewTokens ?? 1;
        int tokens = (int)Math.Min((long)spec.Prompt.Length + newTokens, model.ContextLength);
        long needed = commitments.Bytes(tokens, bounds.DeepestRung);
        string floor = bounds.DeepestRung == 0 ? "" : $" on rung {ladder[bounds.DeepestRung].Name}, the deepest it allows";
        return new EngineRefusal(
            RefusalKind.NeverFits,
            $"A sequence of {tokens} tokens ({spec.Prompt.Length} of the prompt and {tokens - spec.Prompt.Length} new) needs " +
            $"{needed:N0} bytes of KV cache{floor}; the budget can promise {commitments.CapacityBytes:N0} bytes, " +
            $"{commitments.LongestTokens(bounds.DeepestRung)} tokens. Ask for fewer new tokens, shorten the prompt, allow a deeper rung " +
            "(x-kv-floor), or raise KvCache:BudgetBytes.",
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
        if (!Enum.IsDefined(spec.Priority))
        {
            return $"The priority is {(int)spec.Priority}; -1 (low), 0 (normal) or 1 (high) is needed.";
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

    private (int Index, int Token)? FirstOutside(ReadOnlySpan<int> tokens)
    {
        int index = tokens.IndexOfAnyExceptInRange(0, model.VocabularySize - 1);
        return index < 0 ? null : (index, tokens[index]);
    }
}
