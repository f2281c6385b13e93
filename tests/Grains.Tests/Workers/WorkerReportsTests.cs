using System.Text.Json;
using Concertina.Compute.Engine;
using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;
using Concertina.Grains.Tests.Budget;
using Concertina.Grains.Workers;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Workers;

public sealed class WorkerReportsTests
{
    private const int MessageLimitBytes = 64 << 10;
    private readonly FakeTimeProvider _time = new();
    private readonly WorkerReports _reports;

    public WorkerReportsTests() => _reports = new WorkerReports(_time);

    [Fact]
    public void The_first_report_of_an_epoch_is_full_and_then_only_changes_are_sent()
    {
        WorkerReport first = Assert.Single(_reports.Due(Load(1), [Session("t/1"), Session("t/2")]));
        Assert.True(first.Full);
        Assert.Equal(2, first.Sessions.Length);
        Assert.Empty(_reports.Due(Load(1), [Session("t/1"), Session("t/2")]));

        WorkerReport change = Assert.Single(_reports.Due(Load(1), [Session("t/1", tokens: 65)]));
        Assert.False(change.Full);
        Assert.Equal("t/1", Assert.Single(change.Sessions).SequenceKey);
        Assert.Equal("t/2", Assert.Single(change.Gone));
        Assert.Equal(first.Sequence + 1, change.Sequence);

        Assert.True(Assert.Single(_reports.Due(Load(2), [Session("t/1", tokens: 65)])).Full);
    }

    [Fact]
    public void Each_session_is_reported_with_its_own_rung_and_a_new_one_is_a_change()
    {
        WorkerReport first = Assert.Single(_reports.Due(Load(1), [Session("t/1"), Session("t/2") with { Rung = "int4" }]));
        Assert.Equal(["f16", "int4"], first.Sessions.Select(session => session.Rung));

        WorkerReport change = Assert.Single(_reports.Due(Load(1), [Session("t/1") with { Rung = "int8" }, Session("t/2") with { Rung = "int4" }]));

        Assert.Equal(("t/1", "int8"), (Assert.Single(change.Sessions).SequenceKey, change.Sessions[0].Rung));
    }

    [Fact]
    public void Without_changes_a_worker_is_heard_once_a_second()
    {
        _reports.Due(Load(1), []);
        _time.Advance(WorkerReports.AtLeastEvery - TimeSpan.FromMilliseconds(1));
        Assert.Empty(_reports.Due(Load(1), []));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Empty(Assert.Single(_reports.Due(Load(1), [])).Sessions);
    }

    [Fact]
    public void A_full_list_is_sent_again_when_asked_for()
    {
        _reports.Due(Load(1), [Session("t/1")]);
        _reports.SendFull();
        Assert.True(Assert.Single(_reports.Due(Load(1), [Session("t/1")])).Full);
    }

    [Theory]
    [InlineData('a')]
    [InlineData('é')]
    public void No_report_exceeds_a_message_however_many_sessions_there_are(char letter)
    {
        SequenceSnapshot[] sessions = [.. Enumerable.Range(0, 3_000).Select(index => Session($"t/{index}{new string(letter, 480)}"))];
        IReadOnlyList<WorkerReport> full = _reports.Due(Load(1), sessions);
        IReadOnlyList<WorkerReport> gone = _reports.Due(Load(1), []);

        Assert.Equal(3_000, full.Sum(report => report.Sessions.Length));
        Assert.Equal(3_000, gone.Sum(report => report.Gone.Length));
        Assert.Single(full, report => report.Full);
        Assert.All([.. full, .. gone], report => Assert.InRange(JsonSerializer.SerializeToUtf8Bytes(report).Length, 1, MessageLimitBytes));
        Assert.Equal(Enumerable.Range(1, full.Count + gone.Count).Select(number => (long)number), full.Concat(gone).Select(report => report.Sequence));
    }

    private static WorkerLoad Load(long epoch) => Reports.Load("a/0", epoch);

    private static SequenceSnapshot Session(string key, int tokens = 64) => new(key, tokens, 4096L * tokens, false, "f16");
}
