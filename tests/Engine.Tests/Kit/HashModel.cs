namespace Concertina.Engine.Tests.Kit;

/// <summary>
/// A model whose logits are a hash of every (token, position) before them: one lost, doubled or misplaced token changes
/// everything after it.
/// </summary>
internal static class HashModel
{
    public const int VocabularySize = 256;
    public const int ContextLength = 640;
    private const ulong Prime = 0x9E3779B97F4A7C15;

    public static ulong Add(ulong hash, int token, int position) =>
        Mix(hash ^ (((ulong)(uint)position << 32) | (uint)token)) + Prime;

    public static void Logits(ulong hash, Span<float> logits)
    {
        for (int i = 0; i < logits.Length; i++)
        {
            logits[i] = (Mix(hash + ((ulong)i * Prime)) >> 40) * (8f / (1 << 24)); // [0, 8)
        }
    }

    /// <summary>What the engine must generate, computed from the tokens alone.</summary>
    public static int[] Generate(ReadOnlySpan<int> prompt, int count, Func<ReadOnlyMemory<float>, int, int> draw)
    {
        float[] logits = new float[VocabularySize];
        ulong hash = 0;
        for (int i = 0; i < prompt.Length; i++)
        {
            hash = Add(hash, prompt[i], i);
        }
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++)
        {
            Logits(hash, logits);
            int position = prompt.Length + i;
            tokens[i] = draw(logits, position);
            hash = Add(hash, tokens[i], position);
        }
        return tokens;
    }

    /// <summary>What the engine must generate greedily.</summary>
    public static int[] Greedy(ReadOnlySpan<int> prompt, int count) =>
        Generate(prompt, count, static (logits, _) => logits.Span.IndexOf(Max(logits.Span)));

    private static float Max(ReadOnlySpan<float> logits)
    {
        float max = logits[0];
        foreach (float logit in logits)
        {
            max = MathF.Max(max, logit);
        }
        return max;
    }

    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
