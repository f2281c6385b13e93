using System.Text;

namespace Concertina.Tokenization.Tests.Streaming;

public sealed class IncrementalDecoderTests
{
    [Theory]
    [InlineData(21, false)]
    [InlineData(22, true)]
    public void All_pieces_together_are_the_text_decoded_at_once(int seed, bool skipSpecial)
    {
        Tokenizer tokenizer = TestData.Demo();
        Random random = new(seed);
        for (int i = 0; i < 500; i++)
        {
            // Byte tokens (6 to 261) are frequent, so that characters are split and broken in every way.
            int[] ids = [.. Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(random.Next(3) > 0 ? 262 : 4096))];
            IncrementalDecoder decoder = new(tokenizer, skipSpecial);
            StringBuilder text = new();
            for (int at = 0; at < ids.Length;)
            {
                int count = Math.Min(random.Next(1, 4), ids.Length - at);
                string piece = count == 1 ? decoder.Append(ids[at]).ToString() : decoder.Append(ids.AsSpan(at, count)).ToString();
                Assert.False(piece.Length > 0 && char.IsHighSurrogate(piece[^1]), "a piece ends inside a character");
                text.Append(piece);
                at += count;
            }

            text.Append(decoder.Flush());
            Assert.Equal(tokenizer.Decode(ids, skipSpecial), text.ToString());
        }
    }

    [Fact]
    public void An_unfinished_character_is_held_back_and_replaced_at_the_end()
    {
        Tokenizer tokenizer = TestData.Demo();
        int[] bytes = [.. Enumerable.Range(0, 4096).Where(id => tokenizer.TokenBytes(id).Length == 1)];
        int[] emoji = [.. Encoding.UTF8.GetBytes("😀").Select(value => bytes.First(id => tokenizer.TokenBytes(id)[0] == value))];
        IncrementalDecoder decoder = new(tokenizer, skipSpecial: true);

        Assert.Equal("", decoder.Append(emoji.AsSpan(0, 3)).ToString());
        Assert.Equal("😀", decoder.Append(emoji[3]).ToString());
        Assert.Equal("", decoder.Append(emoji[0]).ToString());
        Assert.Equal("\uFFFD", decoder.Flush().ToString());
        Assert.Equal("", decoder.Flush().ToString());
    }
}
