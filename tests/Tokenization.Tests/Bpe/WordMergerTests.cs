using Concertina.Tokenization.Bpe;

namespace Concertina.Tokenization.Tests.Bpe;

public sealed class WordMergerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_heap_and_the_scan_merge_alike(int seed)
    {
        Random random = new(seed);
        (MergeTable merges, int letters) = RandomTable(random);
        for (int length = 0; length <= 130; length++)
        {
            int[] word = [.. Enumerable.Range(0, length).Select(_ => random.Next(letters))];
            int[] byHeap = [.. word];
            int[] byScan = [.. word];

            int heapCount = WordMerger.WithHeap(byHeap, merges);
            int scanCount = WordMerger.Scan(byScan, merges);

            Assert.Equal(byScan[..scanCount], byHeap[..heapCount]);
            Assert.True(length < 20 || scanCount < length, $"nothing merged in {length} letters");
        }
    }

    [Fact]
    public void A_word_of_a_hundred_thousand_letters_is_merged_completely()
    {
        Dictionary<string, int> ids = [];
        List<string> merges = [];
        string token = "a";
        ids[token] = 0;
        for (int i = 1; i <= 16; i++)
        {
            merges.Add($"{token} {token}");
            token += token;
            ids[token] = i;
        }

        int[] word = new int[1 << 17];
        Assert.Equal(2, WordMerger.Merge(word, new MergeTable(merges, ids)));
        Assert.All(word[..2], id => Assert.Equal(16, id));
    }

    private static (MergeTable Merges, int Letters) RandomTable(Random random)
    {
        List<string> tokens = [.. "abcd".Select(letter => letter.ToString())];
        List<string> merges = [];
        while (merges.Count < 40)
        {
            string left = tokens[random.Next(tokens.Count)];
            string right = tokens[random.Next(tokens.Count)];
            if (left.Length + right.Length <= 8)
            {
                merges.Add($"{left} {right}");
                tokens.Add(left + right);
            }
        }

        Dictionary<string, int> ids = [];
        for (int i = 0; i < tokens.Count; i++)
        {
            ids.TryAdd(tokens[i], i);
        }

        return (new MergeTable(merges, ids), 4);
    }
}
