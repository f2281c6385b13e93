using System.Text;

namespace Concertina.Tokenization.Tests;

public sealed class TokenizerSpecTests
{
    private const string Good =
        """{"format":1,"model":"gpt2","pre":"qwen2","tokens":["<s>","a","b","ab","<unk>"],"types":[3,1,1,1,2],"merges":["a b"],"scores":null,"bos":0,"eos":0,"eot":null,"pad":null,"unknown":4,"addBos":true,"addEos":false,"addSpacePrefix":false,"chatTemplate":null}""";

    [Fact]
    public void A_description_is_read_whole()
    {
        Tokenizer tokenizer = Tokenizer.Create(Parse(Good));
        Assert.Equal([0, 3, 1], tokenizer.Encode("aba", addSpecial: true, parseSpecial: false));
        Assert.Equal([0], tokenizer.EosIds);
        Assert.True(ChatTemplate.Of(Parse(Good)).IsFallback);
    }

    [Theory]
    [InlineData("\"format\":1", "\"format\":2", "format", "2")]
    [InlineData("\"model\":\"gpt2\"", "\"model\":\"t5\"", "model", "t5")]
    [InlineData("\"pre\":\"qwen2\"", "\"pre\":\"qwen9\"", "pre", "qwen9")]
    [InlineData("\"types\":[3,1,1,1,2]", "\"types\":[3,1,1,2]", "types", "4")]
    [InlineData("\"types\":[3,1,1,1,2]", "\"types\":[3,1,1,9,2]", "types", "9")]
    [InlineData("\"merges\":[\"a b\"]", "\"merges\":[\"a c\"]", "merges", "'c'")]
    [InlineData("\"merges\":[\"a b\"]", "\"merges\":[\"b a\"]", "merges", "'ba'")]
    [InlineData("\"merges\":[\"a b\"]", "\"merges\":[\"ab\"]", "merges", "'ab'")]
    [InlineData("\"merges\":[\"a b\"]", "\"merges\":[null]", "merges", "null")]
    [InlineData("\"bos\":0", "\"bos\":5", "bos", "5")]
    [InlineData("\"eot\":null", "\"eot\":-1", "eot", "-1")]
    [InlineData("\"bos\":0", "\"bos\":null", "addBos", "bos")]
    [InlineData("\"scores\":null", "\"scores\":[1.5]", "scores", "1")]
    [InlineData("\"tokens\":[\"<s>\",\"a\",\"b\",\"ab\",\"<unk>\"]", "\"tokens\":[]", "tokens", "0")]
    [InlineData("\"unknown\":4", "\"unknown\":null", "tokens", "0x09")]
    [InlineData("2],\"merges\"", "3],\"merges\"", "tokens", "0x09")]
    [InlineData("\"merges\":[", "\"merges\":[[", "document", "bytes")]
    public void A_bad_field_is_named_with_its_value(string good, string bad, string field, string value)
    {
        Assert.Contains(good, Good, StringComparison.Ordinal);
        TokenizerSpecException error = Assert.Throws<TokenizerSpecException>(
            () => Tokenizer.Create(Parse(Good.Replace(good, bad, StringComparison.Ordinal))));
        Assert.Equal(field, error.Field);
        Assert.Contains(value, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_without_a_token_become_the_unknown_token() =>
        Assert.Equal([1, 4, 2], Tokenizer.Create(Parse(Good)).Encode("azb", addSpecial: false, parseSpecial: false));

    [Fact]
    public void A_character_that_a_published_vocabulary_has_no_bytes_for_is_shown_as_replaced_never_dropped()
    {
        TokenizerSpec full = TestData.SpecOf(TestData.DemoModel);
        string[] absent = ["\u0103", "\u010b", "ñ", "ò"];
        Tokenizer tokenizer = Tokenizer.Create(full with
        {
            Tokens = [.. full.Tokens.Select(token => absent.Contains(token) ? $"<absent {(int)token[0]}>" : token)],
            Merges = [.. full.Merges.Where(merge => !absent.Any(letter => merge.Contains(letter, StringComparison.Ordinal)))],
        });
        string text = "a\u0003b\u000b c" + char.ConvertFromUtf32(0x40000) + char.ConvertFromUtf32(0x80000) + "é";
        int[] ids = tokenizer.Encode(text, addSpecial: false, parseSpecial: false);
        Assert.Equal("a\uFFFDb\uFFFD c\uFFFD\uFFFDé", tokenizer.Decode(ids, skipSpecial: false));
    }

    private static TokenizerSpec Parse(string json) => TokenizerSpec.Parse(Encoding.UTF8.GetBytes(json));
}
