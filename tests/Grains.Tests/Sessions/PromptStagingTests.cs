using Concertina.Contracts.Sessions;
using Concertina.Grains.Sessions;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Sessions;

public sealed class PromptStagingTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly PromptStaging _staging;

    public PromptStagingTests() => _staging = new PromptStaging(_time);

    [Fact]
    public void Parts_become_the_prompt_once()
    {
        Stage("r", 0, [1, 2, 3]);
        Stage("r", 3, [4, 5]);
        Assert.Equal([1, 2, 3, 4, 5], _staging.Take("r")!);
        Assert.Null(_staging.Take("r"));
    }

    [Fact]
    public void A_gap_a_repetition_and_a_part_without_a_beginning_are_refused()
    {
        Stage("r", 0, [1, 2, 3]);
        Assert.Throws<ArgumentException>(() => Stage("r", 4, [5]));
        Assert.Throws<ArgumentException>(() => Stage("r", 2, [5]));
        Assert.Throws<ArgumentException>(() => Stage("other", 3, [5]));
    }

    [Fact]
    public void The_first_part_starts_anew()
    {
        Stage("r", 0, [1, 2, 3]);
        Stage("r", 0, [9]);
        Assert.Equal([9], _staging.Take("r")!);
    }

    [Fact]
    public void Staged_prompts_are_few_short_and_forgotten()
    {
        for (int i = 0; i <= PromptStaging.MaxPrompts; i++)
        {
            Stage($"r{i}", 0, [i]);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Null(_staging.Take("r0"));
        Assert.NotNull(_staging.Take("r1"));

        _time.Advance(PromptStaging.KeptFor);
        Assert.Null(_staging.Take("r2"));

        Assert.Throws<ArgumentException>(() => _staging.Add(new PromptPart("r", 0, new byte[TokenPacking.MaxMessageBytes + 4])));
    }

    [Fact]
    public void A_prompt_longer_than_any_context_is_dropped()
    {
        int[] part = new int[TokenPacking.MaxMessageBytes / sizeof(int)];
        int offset = 0;
        while (offset + part.Length <= PromptStaging.MaxTokens)
        {
            Stage("r", offset, part);
            offset += part.Length;
        }
        Assert.Throws<ArgumentException>(() => Stage("r", offset, part));
        Assert.Null(_staging.Take("r"));
    }

    private void Stage(string requestId, int offset, int[] tokens) => _staging.Add(new PromptPart(requestId, offset, TokenPacking.Pack(tokens)));
}
