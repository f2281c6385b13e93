using Concertina.Compute.Engine;
using Concertina.Compute.Store;
using Concertina.Contracts.Workers;
using Concertina.Grains.Workers;

namespace Concertina.Grains.Tests.Workers;

public sealed class WorkerViewTests
{
    private static readonly SequenceSnapshot[] Held =
        [.. new[] { "t/b", "t/~x", "u/a", "t/a", "tt/a" }.Select(key => new SequenceSnapshot(key, 64, 1, true, "f16"))];

    [Fact]
    public void Sessions_come_in_pages_in_the_order_of_their_keys()
    {
        SessionPage first = WorkerView.Sessions(new SessionQuery(null, null, 3), Held, Nothing);
        SessionPage rest = WorkerView.Sessions(new SessionQuery(null, "t/~x", 3), Held, Nothing);

        Assert.Equal(["t/a", "t/b", "t/~x"], Keys(first));
        Assert.Equal(["tt/a", "u/a"], Keys(rest));
        Assert.Equal((true, false), (first.HasMore, rest.HasMore));
    }

    [Fact]
    public void A_tenant_sees_its_named_sessions_alone()
    {
        Assert.Equal(["t/a", "t/b"], Keys(WorkerView.Sessions(new SessionQuery("t", null, 10), Held, Nothing)));
        Assert.Equal(["t/b"], Keys(WorkerView.Sessions(new SessionQuery("t", "t/a", 10), Held, Nothing)));
        // Keys of others that sort behind are not shown either.
        Assert.Equal(["tt/a"], Keys(WorkerView.Sessions(new SessionQuery("tt", "t/zz", 10), Held, Nothing)));
    }

    [Fact]
    public void Sessions_that_rest_on_disk_are_listed_among_the_others_each_once()
    {
        RestingSession[] onDisk = [new("t/aa", 50, 0), new("t/b", 300, 200), new("u/z", 70, 70)];
        IReadOnlyList<RestingSession> Listed(string start, string? after, int most) => [.. onDisk
            .Where(session => session.Key.StartsWith(start, StringComparison.Ordinal) && (after is null || string.CompareOrdinal(session.Key, after) > 0)).Take(most)];

        SessionPage page = WorkerView.Sessions(new SessionQuery(null, null, 4), Held, Listed);

        Assert.Equal(["t/a", "t/aa", "t/b", "t/~x"], Keys(page));
        Assert.Equal([0L, 50, 300, 0], page.Sessions.Select(session => session.DiskBytes));
        Assert.Equal([false, true, false, false], page.Sessions.Select(session => session.Resting));
        Assert.Equal(["t/a", "t/aa", "t/b"], Keys(WorkerView.Sessions(new SessionQuery("t", null, 10), Held, Listed)));
        Assert.Equal(["u/a", "u/z"], Keys(WorkerView.Sessions(new SessionQuery(null, "tt/a", 10), Held, Listed)));
        Fakes.FakeEngine engine = new();
        WorkerMemory memory = WorkerView.Memory(Fakes.Workers.Serving(engine).Load(), engine, new DiskUse(270, 2));
        Assert.Equal((270L, 2), (memory.DiskBytes, memory.DiskSessions));
    }

    private static IReadOnlyList<RestingSession> Nothing(string start, string? after, int most) => [];

    private static IEnumerable<string> Keys(SessionPage page) => page.Sessions.Select(session => session.SequenceKey);
}
