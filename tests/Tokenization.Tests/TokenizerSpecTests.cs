using System.Text;

namespace Concertina.Tokenization.Tests;

public sealed class TokenizerSpecTests
{
    private const string Good =
        """{"format":1,"model":"gpt2","pre":"qwen2","tokens":["<s>","a","b","ab"],"types":[3,1,1,1],"merges":["a b"],"scores":null,"bos":0,"eos":0,"eot":null,"pad":null,"unknown":null,"addBos":true,"addEos":false,"addSpacePrefix":false,"chatTemplate":null}""";

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
    [InlineData("\"types\":[3,1,1,1]", "\"types\":[3,1,1]", "types", "3")]
    [InlineData("\"types\":[3,1,1,1]", "\"types\":[3,1,1,9]", "types", "9")]
    [InlineData("\"merges\":[\"a b\"]", "\"merges\":[\"a c\"]", "merges", "'c'")]
    [InlineData("\"merges\":[\"a b\"]", "\"merges\":[\"b a\"]", "merges", "'ba'")]
    [InlineData("\"merges\":[\"a b\"]", "\"merges\":[\"ab\"]", "merges", "'ab'")]
    [InlineData("\"merges\":[\"a b\"]", "\"merges\":[null]", "merges", "null")]
    [InlineData("\"bos\":0", "\"bos\":4", "bos", "4")]
    [InlineData("\"eot\":null", "\"eot\":-1", "eot", "-1")]
    [InlineData("\"bos\":0", "\"bos\":null", "addBos", "bos")]
    [InlineData("\"scores\":null", "\"scores\":[1.5]", "scores", "1")]
    [InlineData("\"tokens\":[\"<s>\",\"a\",\"b\",\"ab\"]", "\"tokens\":[]", "tokens", "0")]
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
    public void Bytes_without_a_token_become_the_unknown_token_or_nothing()
    {
        TokenizerSpec spec = Parse(Good);
        TokenizerSpec withUnknown = spec with
        {
            Tokens = [.. spec.Tokens, "<unk>"],
            Types = [.. spec.Types, TokenKind.Unknown],
            Unknown = 4,
        };
        Assert.Equal([1, 2], Tokenizer.Create(spec).Encode("azb", false, false));
        Assert.Equal([1, 4, 2], Tokenizer.Create(withUnknown).Encode("azb", false, false));
    }

    private static TokenizerSpec Parse(string json) => TokenizerSpec.Parse(Encoding.UTF8.GetBytes(json));
}
