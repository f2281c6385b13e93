using Concertina.Contracts.Budget;
using Concertina.Grains.Budget;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Budget;

/// <summary>The plan as workers see it: reports in, assignments out. A worker has 1,000 MiB to promise; a session takes 100 MiB losslessly.</summary>
public sealed class RungAssignerTests
{
    private const int SessionTokens = 25_600;
    private const long SessionBytes = SessionTokens * 4096L;
    private static readonly KvCurve Curve = new(
    [
        new("f16", 4096, 0, 1, 0, uint.MaxValue), new("int4", 1024, 6e-4, 0.7, 7e-6, uint.MaxValue), new("int2", 512, 9e-3, 0.6, 7e-6, uint.MaxValue),
    ], ExactTokens: 0);

    private readonly FakeTimeProvider _time = new();
    private readonly WorkerTable _table;
    private long _sequence;

    public RungAssignerTests() => _table = new WorkerTable(_time);

    [Fact]
    public void Without_pressure_nothing_is_assigned() => Assert.Empty(Full(Sessions(8)).Assignments);

    [Fact]
    public void Under_pressure_as_many_are_squeezed_as_it_takes_and_no_further_than_their_floors()
    {
        SessionReport[] sessions = [.. Sessions(12), Session("strict", "f16")];

        RungAssignments answer = Full(sessions);

        Assert.Equal(7, answer.Epoch);
        Assert.DoesNotContain(answer.Assignments, assignment => assignment.SequenceKey == "strict");
        Dictionary<string, string> rungs = answer.Assignments.ToDictionary(assignment => assignment.SequenceKey, assignment => assignment.Rung);
        Assert.All(rungs.Values, rung => Assert.Equal("int4", rung));
        // 13 sessions less three quarters of as many as were squeezed fit 850 MiB, and one fewer does not.
        double sessionsLeft = 13 - (0.75 * rungs.Count);
        Assert.InRange(sessionsLeft * SessionBytes, (RungAssigner.FilledShare * (1000 << 20)) - (0.75 * SessionBytes), RungAssigner.FilledShare * (1000 << 20));
    }

    [Fact]
    public void Idle_sessions_are_squeezed_before_running_ones()
    {
        SessionReport[] sessions = [.. Sessions(6).Select(session => session with { Running = false }), .. Sessions(6, "busy")];
        Full(sessions[..6]);
        _time.Advance(TimeSpan.FromMinutes(2));

        Assert.All(Change([.. sessions[6..]]).Assignments, assignment => Assert.StartsWith("s", assignment.SequenceKey));
    }

    [Fact]
    public void What_was_assigned_is_not_said_again_until_a_full_list_asks_for_it()
    {
        SessionReport[] sessions = Sessions(12);
        RungAssignment[] first = Full(sessions).Assignments;

        Assert.NotEmpty(first);
        Assert.Empty(Change(sessions[0] with { Tokens = SessionTokens + 1 }).Assignments);
        Assert.Equal(first, Full(sessions).Assignments);
    }

    [Fact]
    public void When_pressure_falls_sessions_are_assigned_back_but_not_in_economy()
    {
        SessionReport[] sessions = [.. Sessions(4).Select(session => session with { Rung = "int4", Target = "int4" }), Session("economy", "int4") with { Rung = "int4", MayRise = false }];

        RungAssignment[] back = Full(sessions).Assignments;

        Assert.Equal(["s0", "s1", "s2", "s3"], back.Select(assignment => assignment.SequenceKey).Order(StringComparer.Ordinal));
        Assert.All(back, assignment => Assert.Equal("f16", assignment.Rung));
        // The wish stands while it is carried out.
        Assert.Empty(Change(sessions[0] with { Tokens = SessionTokens + 1 }).Assignments);
    }

    [Fact]
    public void A_list_that_is_not_whole_or_a_worker_without_a_curve_is_not_planned_for()
    {
        SessionReport[] sessions = Sessions(12);
        WorkerReport first = Report(full: true, sessions[..11]) with { Continues = true };

        Assert.Empty(_table.Take(first).Assignments);
        Assert.NotEmpty(Change(sessions[11]).Assignments);

        WorkerTable other = new(_time);
        Assert.Empty(other.Take(Report(full: true, sessions) with { Curve = null }).Assignments);
        Assert.True(other.Take(Report(full: false, sessions) with { Sequence = 1_000 }).SendFull);
    }

    [Fact]
    public void A_report_of_an_older_epoch_gets_no_rungs_and_a_newer_one_is_planned_anew()
    {
        SessionReport[] sessions = Sessions(12);
        RungAssignment[] first = Full(sessions).Assignments;

        Assert.Empty(_table.Take(Report(full: true, sessions, epoch: 6)).Assignments);
        RungAssignments later = _table.Take(Report(full: true, sessions, epoch: 8));

        Assert.Equal(8, later.Epoch);
        Assert.Equal(first, later.Assignments);
    }

    [Fact]
    public void Many_assignments_are_spread_over_answers_that_fit_a_message()
    {
        SessionReport[] sessions = [.. Enumerable.Range(0, 2_000).Select(i => Session($"t/{i}{new string('a', 100)}", "int2"))];

        int told = Full(sessions).Assignments.Length;
        Assert.InRange(told, 1, 100);
        while (Change(sessions[0]).Assignments is { Length: > 0 } more)
        {
            told += more.Length;
        }
        Assert.Equal(2_000, told);
    }

    private RungAssignments Full(SessionReport[] sessions) => _table.Take(Report(full: true, sessions));

    private RungAssignments Change(params SessionReport[] sessions) => _table.Take(Report(full: false, sessions));

    private WorkerReport Report(bool full, SessionReport[] sessions, long epoch = 7) => new()
    {
        Load = Reports.Load("a/0", epoch) with { BudgetBytes = 1016 << 20, TranscodeReserveBytes = 16 << 20 },
        Sequence = ++_sequence,
        Full = full,
        Sessions = sessions,
        Curve = full ? Curve : null,
    };

    private static SessionReport[] Sessions(int count, string prefix = "s") => [.. Enumerable.Range(0, count).Select(i => Session($"{prefix}{i}", "int2"))];

    private static SessionReport Session(string key, string floor) =>
        new(key, SessionTokens, SessionBytes, "f16", Running: true) { Target = "f16", Floor = floor, MayRise = true };
}
