using System.Collections.Concurrent;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>Longest common prefix with earlier prompts of the same scope, as a prefix cache would find it.</summary>
internal sealed class PromptMemory
{
    private readonly ConcurrentDictionary<string, List<int[]>> _prompts = new();

    /// <returns>Tokens of the prompt seen before; the last one is always computed anew.</returns>
    public int Remember(string scope, int[] prompt)
    {
        List<int[]> seen = _prompts.GetOrAdd(scope, static _ => []);
        lock (seen)
        {
            int cached = seen.Select(old => old.AsSpan().CommonPrefixLength(prompt)).DefaultIfEmpty(0).Max();
            seen.Add(prompt);
            return Math.Min(cached, prompt.Length - 1);
        }
    }
}
