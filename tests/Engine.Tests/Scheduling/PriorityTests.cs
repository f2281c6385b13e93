using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Scheduling;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Scheduling;

/// <summary>Priorities order admission within a bound, and who is squeezed first.</summary>
public sealed class PriorityTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Waiting_requests_are_admitted_by_priority_whatever_their_order(int seed)
    {
        await using EngineBench bench = new(new EngineOptions { MaxRunning = 1, ReaderBufferTokens = 200 });
        TokenStream first = Submit(bench, "first", RequestPriority.Normal);
        bench.Step();
        RequestPriority[] priorities = [.. Enumerable.Range(0, 6).Select(index => (RequestPriority)((index % 3) - 1))];
        new Random(seed).Shuffle(priorities);
        (TokenStream Stream, RequestPriority Priority)[] waiting =
            [.. priorities.Select((priority, index) => (Submit(bench, $"t{index}", priority), priority))];

        bench.Finish(first);
        List<RequestPriority> ended = [];
        foreach ((TokenStream stream, RequestPriority priority) in waiting.OrderByDescending(request => request.Priority))
        {
            bench.Finish(stream);
            Assert.All(waiting.Where(request => request.Priority < priority), request => Assert.Null(request.Stream.End));
            ended.Add(priority);
        }

        Assert.Equal(ended.OrderDescending(), ended);
    }

    [Fact]
    public async Task A_low_priority_is_overtaken_a_bounded_number_of_times_and_then_admitted()
    {
        await using EngineBench bench = new(new EngineOptions { MaxRunning = 1, ReaderBufferTokens = 200, QueueLimit = 100 });
        Submit(bench, "first", RequestPriority.High);
        bench.Step();
        TokenStream low = Submit(bench, "low", RequestPriority.Low);
        Queue<TokenStream> high = [];

        int overtakes = 0;
        for (int step = 0; step < 2_000 && low.End is null; step++)
        {
            while (high.Count < 4)
            {
                high.Enqueue(Submit(bench, $"high{step % 3}", RequestPriority.High));
            }
            bench.Step();
            while (high.TryPeek(out TokenStream? oldest) && oldest.End is not null)
            {
                high.Dequeue();
                overtakes++;
            }
        }

        Assert.NotNull(low.End);
        Assert.InRange(overtakes, WaitingQueue.MostOvertakes - 2, WaitingQueue.MostOvertakes + 2);
    }

    [Theory]
    [InlineData(RequestPriority.Low, 0.5)]
    [InlineData(RequestPriority.Normal, 2)]
    [InlineData(RequestPriority.High, 8)]
    public void A_priority_weighs_in_the_plan(RequestPriority priority, double weight) =>
        Assert.Equal(weight, new GenerationSpec { RequestId = "r", Prompt = new int[1], Weight = 2, Priority = priority }.PlanWeight);

    private static TokenStream Submit(EngineBench bench, string tenant, RequestPriority priority) =>
        EngineBench.Submit(bench.Open(tenant), bench.Spec(EngineBench.Prompt(5, seed: 1), 4) with { Priority = priority });
}
