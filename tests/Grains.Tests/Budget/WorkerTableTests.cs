using Concertina.Contracts.Budget;
using Concertina.Grains.Budget;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Budget;

public sealed class WorkerTableTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly WorkerTable _table;

    public WorkerTableTests() => _table = new WorkerTable(_time);

    [Fact]
    public void A_new_activation_asks_for_the_full_list_and_is_rebuilt_by_it()
    {
        RungAssignments first = _table.Take(Reports.Change(Reports.Load("a/0"), 7, ["t/new"]));
        Assert.True(first.SendFull);
        Assert.NotNull(_table.Home("t/new"));

        RungAssignments second = _table.Take(Reports.Full(Reports.Load("a/0"), 8, "t/old", "t/new"));

        Assert.False(second.SendFull);
        Assert.Equal("a/0", _table.Home("t/old")?.Worker);
    }

    [Fact]
    public void Changes_add_and_remove_sessions()
    {
        _table.Take(Reports.Full(Reports.Load("a/0"), 1, "t/1", "t/2"));
        _table.Take(Reports.Change(Reports.Load("a/0"), 2, ["t/3"], "t/1"));
        Assert.Null(_table.Home("t/1"));
        Assert.NotNull(_table.Home("t/2"));
        Assert.NotNull(_table.Home("t/3"));
    }

    [Fact]
    public void A_full_list_in_parts_is_one_list()
    {
        _table.Take(Reports.Full(Reports.Load("a/0"), 1, "t/gone"));
        _table.Take(Reports.Full(Reports.Load("a/0"), 2, "t/1"));
        RungAssignments answer = _table.Take(Reports.Change(Reports.Load("a/0"), 3, ["t/2"]));
        Assert.False(answer.SendFull);
        Assert.NotNull(_table.Home("t/1"));
        Assert.NotNull(_table.Home("t/2"));
        Assert.Null(_table.Home("t/gone"));
    }

    [Fact]
    public void A_lost_report_is_noticed_and_healed_by_a_full_list()
    {
        _table.Take(Reports.Full(Reports.Load("a/0"), 1));
        Assert.True(_table.Take(Reports.Change(Reports.Load("a/0"), 3, [])).SendFull);
        Assert.True(_table.Take(Reports.Change(Reports.Load("a/0"), 4, [])).SendFull);
        Assert.False(_table.Take(Reports.Full(Reports.Load("a/0"), 5)).SendFull);
    }

    [Fact]
    public void A_report_seen_before_changes_nothing()
    {
        _table.Take(Reports.Full(Reports.Load("a/0", committedBytes: 10), 5, "t/1"));
        _table.Take(Reports.Full(Reports.Load("a/0", committedBytes: 99), 5));
        _table.Take(Reports.Full(Reports.Load("a/0", committedBytes: 99), 4));
        Assert.Equal(10, _table.Loads()[0].CommittedBytes);
        Assert.NotNull(_table.Home("t/1"));
    }

    [Fact]
    public void A_report_of_an_older_epoch_is_refused_and_told_the_newer_one()
    {
        _table.Take(Reports.Full(Reports.Load("a/0", epoch: 8), 1, "t/1"));

        RungAssignments answer = _table.Take(Reports.Full(Reports.Load("a/0", epoch: 7), 50));

        Assert.Equal(8, answer.Epoch);
        Assert.Equal(8, _table.Loads()[0].Epoch);
        Assert.NotNull(_table.Home("t/1"));
    }

    [Fact]
    public void A_newer_epoch_starts_from_nothing()
    {
        _table.Take(Reports.Full(Reports.Load("a/0", epoch: 7), 50, "t/1"));
        RungAssignments answer = _table.Take(Reports.Full(Reports.Load("a/0", epoch: 8), 1));
        Assert.Equal(8, answer.Epoch);
        Assert.Null(_table.Home("t/1"));
    }

    [Fact]
    public void A_silent_worker_is_not_offered_and_returns_with_its_next_report()
    {
        _table.Take(Reports.Full(Reports.Load("a/0"), 1, "t/1"));
        _time.Advance(WorkerTable.SilentAfter);
        Assert.Empty(_table.Loads());
        Assert.Null(_table.Home("t/1"));

        _table.Take(Reports.Change(Reports.Load("a/0"), 2, []));
        Assert.NotNull(_table.Home("t/1"));
    }
}
