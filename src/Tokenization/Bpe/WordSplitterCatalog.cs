using static Concertina.Tokenization.Bpe.SplitStage;

namespace Concertina.Tokenization.Bpe;

/// <summary>The one place that knows which cutting rule each <c>pre</c> name means. Names are those of GGUF files.</summary>
internal static class WordSplitterCatalog
{
    private static readonly WordSplitter Gpt2 = new(false, new Matches(WordPatterns.Gpt2()));
    private static readonly WordSplitter Qwen2 = new(false, new Matches(WordPatterns.Qwen2()));
    private static readonly WordSplitter Llama3 = new(true, new Matches(WordPatterns.Llama3()));
    private static readonly WordSplitter SingleDigits =
        new(false, new Matches(WordPatterns.Digit()), new Matches(WordPatterns.Gpt2()));

    private static readonly WordSplitter Falcon = new(
        false,
        new Matches(WordPatterns.FalconPunctuation()),
        new Matches(WordPatterns.Gpt2()),
        new Matches(WordPatterns.ThreeAsciiDigits()));

    private static readonly WordSplitter DeepSeekLlm = new(
        false,
        new Matches(WordPatterns.LineBreak()),
        new Matches(WordPatterns.CasedLetters()),
        new Matches(WordPatterns.DeepSeekPunctuation()),
        new TrailingSpace(),
        new Matches(WordPatterns.EastAsian()),
        new Matches(WordPatterns.Digits()));

    private static readonly WordSplitter DeepSeekCoder = new(
        false,
        new Matches(WordPatterns.LineBreak()),
        new Matches(WordPatterns.SpaceAndLetters()),
        new Matches(WordPatterns.SpaceAndPunctuation()),
        new Matches(WordPatterns.EastAsian()),
        new Matches(WordPatterns.Digit()));

    private static readonly Dictionary<string, WordSplitter> ByName = new(StringComparer.Ordinal)
    {
        ["gpt-2"] = Gpt2,
        ["mpt"] = Gpt2,
        ["olmo"] = Gpt2,
        ["qwen2"] = Qwen2,
        ["stablelm2"] = Qwen2,
        ["llama3"] = Llama3,
        ["llama-v3"] = Llama3,
        ["llama-bpe"] = Llama3,
        ["starcoder"] = SingleDigits,
        ["refact"] = SingleDigits,
        ["command-r"] = SingleDigits,
        ["smollm"] = SingleDigits,
        ["codeshell"] = SingleDigits,
        ["falcon"] = Falcon,
        ["deepseek-llm"] = DeepSeekLlm,
        ["deepseek-coder"] = DeepSeekCoder,
    };

    /// <summary>The splitter of a name.</summary>
    /// <exception cref="TokenizerSpecException">The name is not known.</exception>
    public static WordSplitter Of(string pre) => ByName.TryGetValue(pre, out WordSplitter? splitter)
        ? splitter
        : throw new TokenizerSpecException(
            "pre",
            $"'{pre}' is not a known rule for cutting text into words; known are "
            + $"{string.Join(", ", ByName.Keys.Order(StringComparer.Ordinal))}. A wrong rule would give wrong ids without an error.");
}
