using Concertina.Compute.Engine;
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
        SessionPage first = WorkerView.Sessions(new SessionQuery(null, null, 3), Held);
        SessionPage rest = WorkerView.Sessions(new SessionQuery(null, "t/~x", 3), Held);

        Assert.Equal(["t/a", "t/b", "t/~x"], Keys(first));
        Assert.Equal(["tt/a", "u/a"], Keys(rest));
        Assert.Equal((true, false), (first.HasMore, rest.HasMore));
    }

    [Fact]
    public void A_tenant_sees_its_named_sessions_alone()
    {
        Assert.Equal(["t/a", "t/b"], Keys(WorkerView.Sessions(new SessionQuery("t", null, 10), Held)));
        Assert.Equal(["t/b"], Keys(WorkerView.Sessions(new SessionQuery("t", "t/a", 10), Held)));
        // Keys of others that sort behind are not shown either.
        Assert.Equal(["tt/a"], Keys(WorkerView.Sessions(new SessionQuery("tt", "t/zz", 10), Held)));
    }

    private static IEnumerable<string> Keys(SessionPage page) => page.Sessions.Select(session => session.SequenceKey);
}
