using System.Text;
using System.Text.Json;

namespace Concertina.Tokenization.Tests;

/// <summary>Ids equal those of the published test vectors and of the demo model's reference.</summary>
public sealed class ConformanceTests
{
    public static TheoryData<string> Vocabularies => new(
        "gpt-2", "starcoder", "refact", "falcon", "mpt", "deepseek-llm", "deepseek-coder");

    [Theory]
    [MemberData(nameof(Vocabularies))]
    public void Ids_equal_the_published_vectors(string name)
    {
        string path = TestData.Vocabulary($"ggml-vocab-{name}.gguf");
        Tokenizer tokenizer = Tokenizer.Create(TestData.SpecOf(path));
        string[] texts = File.ReadAllText(path + ".inp", Encoding.UTF8).Split("\n__ggml_vocab_test__\n");
        string[] expected = File.ReadAllLines(path + ".out");

        Assert.True(expected.Length >= 40, $"{expected.Length} vectors");
        for (int i = 0; i < expected.Length; i++)
        {
            int[] ids = tokenizer.Encode(texts[i], addSpecial: false, parseSpecial: false);
            Assert.True(
                expected[i].Trim() == string.Join(' ', ids),
                $"text {i} '{texts[i]}'\nexpected {expected[i].Trim()}\nactual   {string.Join(' ', ids)}");
        }
    }

    [Fact]
    public void Ids_of_the_demo_model_equal_its_reference()
    {
        Tokenizer tokenizer = TestData.Demo();
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllBytes(TestData.DemoReference));
        foreach (JsonElement prompt in reference.RootElement.GetProperty("prompts").EnumerateArray())
        {
            int[] expected = [.. prompt.GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32())];
            string text = prompt.GetProperty("text").GetString()!;

            Assert.Equal(expected, tokenizer.Encode(text, addSpecial: true, parseSpecial: true));
            Assert.Equal(text, tokenizer.Decode(expected.AsSpan(1), skipSpecial: false));
        }
    }
}
