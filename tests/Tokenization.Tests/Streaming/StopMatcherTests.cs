using System.Text;

namespace Concertina.Tokenization.Tests.Streaming;

public sealed class StopMatcherTests
{
    [Theory]
    [InlineData(31, false)]
    [InlineData(32, true)]
    public void Any_cutting_gives_what_a_search_through_the_whole_text_gives(int seed, bool includeStop)
    {
        Random random = new(seed);
        int found = 0;
        for (int i = 0; i < 3000; i++)
        {
            string[] stops = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Letters(random, random.Next(1, 5)))];
            string text = Letters(random, random.Next(25));
            (string expected, string? stop) = Naive(text, stops, includeStop);
            StopMatcher matcher = new(stops, includeStop);
            StringBuilder shown = new();
            int taken = 0;
            while (taken < text.Length && matcher.Stop is null)
            {
                int count = Math.Min(random.Next(1, 5), text.Length - taken);
                taken += count;
                shown.Append(matcher.Append(text.AsSpan(taken - count, count)).Text);
                if (matcher.Stop is null)
                {
                    Assert.Equal(text[..(taken - Held(text[..taken], stops))], shown.ToString());
                }
            }

            shown.Append(matcher.Flush());
            Assert.Equal(expected, shown.ToString());
            Assert.Equal(stop, matcher.Stop);
            found += stop is null ? 0 : 1;
        }

        Assert.InRange(found, 300, 2900);
    }

    [Fact]
    public void After_a_stop_string_nothing_more_is_shown()
    {
        StopMatcher matcher = new(["\n\n", "END"], includeStop: false);
        Assert.Equal("a", matcher.Append("a\n").Text.ToString());
        StopResult result = matcher.Append("\nb");
        Assert.Equal("", result.Text.ToString());
        Assert.Equal("\n\n", result.Stop);
        Assert.Equal("", matcher.Append("more").Text.ToString());
        Assert.Equal("", matcher.Flush().ToString());
    }

    [Fact]
    public void The_stop_string_complete_first_wins_and_the_longest_of_those_that_end_together()
    {
        Assert.Equal("bc", new StopMatcher(["abcd", "bc"], false).Append("xabcd").Stop);
        Assert.Equal("abc", new StopMatcher(["bc", "abc"], false).Append("xabcd").Stop);
    }

    [Fact]
    public void An_empty_stop_string_is_refused() =>
        Assert.Contains("1 of 2", Assert.Throws<ArgumentException>(() => new StopMatcher(["a", ""], false)).Message, StringComparison.Ordinal);

    private static string Letters(Random random, int length) =>
        string.Concat(Enumerable.Range(0, length).Select(_ => "ab\n"[random.Next(3)]));

    private static (string Shown, string? Stop) Naive(string text, string[] stops, bool includeStop)
    {
        for (int end = 1; end <= text.Length; end++)
        {
            string? stop = stops.Where(candidate => text[..end].EndsWith(candidate, StringComparison.Ordinal)).MaxBy(candidate => candidate.Length);
            if (stop is not null)
            {
                return (text[..(end - (includeStop ? 0 : stop.Length))], stop);
            }
        }

        return (text, null);
    }

    private static int Held(string text, string[] stops) => Enumerable.Range(0, text.Length + 1).Last(length =>
        stops.Any(stop => length < stop.Length && stop.StartsWith(text[^length..], StringComparison.Ordinal)) || length == 0);
}
