namespace Concertina.Compute.Evaluation;

/// <summary>A document and questions about it, as tokens.</summary>
/// <param name="Length">Nominal length in tokens, by which results are grouped.</param>
/// <param name="Prefix">Tokens that all questions share.</param>
/// <param name="Questions">Tokens of each question, behind the prefix.</param>
public sealed record RecallDocument(int Length, int[] Prefix, IReadOnlyList<int[]> Questions)
{
    /// <summary>Makes one of whole prompts: what all begin with is the prefix.</summary>
    public static RecallDocument Of(int length, IReadOnlyList<int[]> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        int shared = prompts[0].Length - 1; // a question has at least its last token
        foreach (int[] prompt in prompts)
        {
            shared = Math.Min(Math.Min(shared, prompt.Length - 1), prompts[0].AsSpan().CommonPrefixLength(prompt));
        }
        return new RecallDocument(length, prompts[0][..shared], [.. prompts.Select(prompt => prompt[shared..])]);
    }
}
