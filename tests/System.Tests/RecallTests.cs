using System.Text.Json;

namespace Concertina.System.Tests;

/// <summary>
/// A sample of the recall questions through the API. All 2,000 are asked by <c>concertina recall</c>; its result is in
/// <c>bench/results/recall.json</c>. The bounds leave room for the sample: two documents of 20 questions a length.
/// </summary>
public sealed class RecallTests : IAsyncLifetime
{
    private ServerProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await ServerProcess.Start("--kv-budget", "512MiB");

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(1024, 38)]
    [InlineData(4096, 36)]
    [InlineData(8000, 32)]
    public async Task Facts_are_recalled_at_every_length(int length, int atLeast)
    {
        int right = 0;
        foreach (RecallDocument document in RecallSet.Read(length).Take(2))
        {
            foreach (RecallQuestion question in document.Questions)
            {
                JsonElement answer = await Chat.Complete(_server.Client, Chat.Body(40, document.Ask(question)));
                right += Chat.Text(answer).Contains(question.Value, StringComparison.Ordinal) ? 1 : 0;
            }
        }
        Assert.InRange(right, atLeast, 40);
    }
}
