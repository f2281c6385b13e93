using Concertina.Compute.Allocation;

namespace Concertina.Compute.Tests.Allocation;

public sealed class RungPlanTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_cost_is_within_one_step_of_one_session_of_the_best_there_is(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 300; round++)
        {
            PlanLadder ladder = PlanCases.Draw(random, random.Next(2, 6), PlanCases.Plain);
            PlanSession[] sessions = PlanCases.Sessions(random, random.Next(1, 5), ladder.Count, spread: true);
            double budget = Least(ladder, sessions) + (random.NextDouble() * (Most(ladder, sessions) - Least(ladder, sessions)));
            int[] rungs = new int[sessions.Length];

            PlanSummary plan = new RungPlan(ladder).Solve(sessions, budget, rungs);

            Assert.Equal(0, plan.ShortBytes);
            Assert.InRange(PlanCases.Bytes(ladder, sessions, rungs), 0, budget * (1 + 1e-12));
            double step = sessions.Max(session => LargestStep(ladder, session));
            Assert.InRange(plan.Cost, 0, Best(ladder, sessions, budget) + step + 1e-12);
        }
    }

    [Theory]
    [InlineData(200, 1)]
    [InlineData(2000, 2)]
    public void With_many_sessions_the_cost_is_within_two_percent_of_the_relaxed_optimum(int count, int seed)
    {
        var random = new Random(seed);
        PlanLadder ladder = PlanCases.Demo(new PlanOptions { Hysteresis = 0 });
        PlanSession[] sessions = PlanCases.Sessions(random, count, ladder.Count, spread: true);
        int[] rungs = new int[count];
        foreach (double share in new[] { 0.1, 0.3, 0.6, 0.9 })
        {
            double budget = Least(ladder, sessions) + (share * (Most(ladder, sessions) - Least(ladder, sessions)));
            PlanSummary plan = new RungPlan(ladder).Solve(sessions, budget, rungs);
            Assert.InRange(plan.Cost, 0, 1.02 * Relaxed(ladder, sessions, budget));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void No_session_goes_below_its_floor_or_where_provenance_forbids_or_up_when_it_may_not(int seed)
    {
        var random = new Random(seed);
        PlanLadder ladder = PlanCases.Demo();
        PlanSession[] sessions = PlanCases.Sessions(random, 400, ladder.Count, spread: true);
        int[] rungs = new int[sessions.Length];
        foreach (double budget in new[] { 0, 0.999 * Least(ladder, sessions), 1.001 * Least(ladder, sessions), 2 * Least(ladder, sessions), 1e12 })
        {
            PlanSummary plan = new RungPlan(ladder).Solve(sessions, budget, rungs);
            for (int session = 0; session < sessions.Length; session++)
            {
                PlanSession one = sessions[session];
                Assert.InRange(rungs[session], one.MayRise ? 0 : one.Rung, one.Floor);
                Assert.False(one.Rung == 3 && rungs[session] == 4, "commvq2 from int2");
            }
            Assert.Equal(plan.ShortBytes > 0, budget < Least(ladder, sessions));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Nobody_enters_a_rung_from_which_its_floor_is_out_of_reach(int seed)
    {
        var random = new Random(seed);
        PlanLadder ladder = PlanCases.Demo();
        PlanSession[] sessions = [.. PlanCases.Sessions(random, 200, ladder.Count).Select(session => session with { Floor = 4 })];
        int[] rungs = new int[sessions.Length];
        for (double share = 0; share < 1; share += 0.05)
        {
            new RungPlan(ladder).Solve(sessions, share * Most(ladder, sessions), rungs);
            Assert.DoesNotContain(3, rungs); // commvq2 takes nothing of int2
        }
        // Who is there already may stay, and one whose floor it is may go there.
        new RungPlan(ladder).Solve([sessions[0] with { Rung = 3, MayRise = false }, sessions[0] with { Floor = 3 }], 0, rungs.AsSpan(0, 2));
        Assert.Equal([3, 3], rungs[..2]);
    }

    [Fact]
    public void What_is_missing_when_all_are_on_their_floors_is_said_in_bytes()
    {
        PlanLadder ladder = PlanCases.Demo();
        PlanSession[] sessions = [new(8192, 0, 0, 2, 1, 0, true), new(8192, 0, 0, 1, 1, 0, true)];
        int[] rungs = new int[2];
        double least = ladder.Bytes(sessions[0], 2) + ladder.Bytes(sessions[1], 1);

        PlanSummary plan = new RungPlan(ladder).Solve(sessions, least - 1000, rungs);

        Assert.Equal([2, 1], rungs);
        Assert.Equal(1000, plan.ShortBytes, 3);
    }

    [Fact]
    public void Everything_else_equal_the_light_the_idle_and_the_long_sessions_go_first()
    {
        PlanLadder ladder = PlanCases.Demo();
        PlanSession plain = new(8192, 0, 0, 4, 1, 0, true);
        PlanSession[] sessions = [plain, plain with { Weight = 0.5 }, plain with { IdleSeconds = 60 }, plain with { Tokens = 4096 }];
        int[] rungs = new int[4];
        double all = sessions.Sum(session => ladder.Bytes(session, 0));

        new RungPlan(ladder).Solve(sessions, all - 1, rungs);
        Assert.Equal([0, 0, 1, 0], rungs);
        new RungPlan(ladder).Solve(sessions, all - (1.1 * (ladder.Bytes(plain, 0) - ladder.Bytes(plain, 2))), rungs);
        Assert.Equal((0, 0), (rungs[0], rungs[3]));
        Assert.True(rungs[1] > 0 && rungs[2] > 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void With_more_bytes_no_session_is_worse_off(int seed)
    {
        var random = new Random(seed);
        PlanLadder ladder = PlanCases.Draw(random, 6, PlanCases.Plain);
        PlanSession[] sessions = PlanCases.Sessions(random, 60, ladder.Count);
        int[] before = [.. sessions.Select(session => ladder.Count)];
        for (double budget = 0; budget < 1.1 * Most(ladder, sessions); budget += Most(ladder, sessions) / 50)
        {
            int[] rungs = new int[sessions.Length];
            new RungPlan(ladder).Solve(sessions, budget, rungs);
            Assert.All(rungs.Zip(before), pair => Assert.True(pair.First <= pair.Second));
            before = rungs;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_budget_that_wobbles_within_the_hysteresis_moves_nobody_twice(int seed)
    {
        var random = new Random(seed);
        PlanLadder ladder = PlanCases.Demo(new PlanOptions { Hysteresis = 0.1 });
        PlanSession[] sessions = PlanCases.Sessions(random, 100, ladder.Count);
        int[] rungs = new int[sessions.Length];
        double budget = 0.5 * Most(ladder, sessions);
        var plan = new RungPlan(ladder);
        plan.Solve(sessions, budget, rungs);
        for (int round = 0; round < 20; round++)
        {
            sessions = [.. sessions.Zip(rungs, (session, rung) => session with { Rung = rung, MayRise = true })];
            Assert.Equal(0, plan.Solve(sessions, budget * (1 + (0.09 * random.NextDouble())), rungs).Moves);
        }
        Assert.True(plan.Solve(sessions, 1.5 * budget, rungs).Moves > 0);
        Assert.InRange(PlanCases.Bytes(ladder, sessions, rungs), 0, 1.5 * budget);
    }

    [Fact]
    public void The_order_of_sessions_does_not_matter_and_the_same_input_gives_the_same_plan()
    {
        var random = new Random(5);
        PlanLadder ladder = PlanCases.Demo(new PlanOptions());
        PlanSession[] sessions = PlanCases.Sessions(random, 300, ladder.Count, spread: true);
        int[] order = [.. Enumerable.Range(0, 300)];
        random.Shuffle(order);
        int[] rungs = new int[300];
        int[] shuffled = new int[300];
        double budget = 0.4 * Most(ladder, sessions);
        var plan = new RungPlan(ladder);

        plan.Solve(sessions, budget, rungs);
        plan.Solve([.. order.Select(index => sessions[index])], budget, shuffled);

        Assert.Equal(order.Select(index => rungs[index]), shuffled);
        new RungPlan(ladder).Solve(sessions, budget, shuffled);
        Assert.Equal(rungs, shuffled);
    }

    [Fact]
    public void What_others_share_is_not_freed_and_so_buys_less()
    {
        PlanLadder ladder = PlanCases.Demo();
        PlanSession alone = new(8192, 0, 0, 2, 1, 0, true);
        PlanSession shared = alone with { SharedBytes = (long)(ladder.Bytes(alone, 0) / 2) };
        int[] rungs = new int[2];

        new RungPlan(ladder).Solve([shared, alone], (2 * ladder.Bytes(alone, 0)) - 1, rungs);

        Assert.Equal([0, 1], rungs);
        Assert.Equal(ladder.Bytes(alone, 0) - ladder.Bytes(alone, 2), 2 * (ladder.Bytes(shared, 0) - ladder.Bytes(shared, 2)), 3);
    }

    [Fact]
    public void Attention_and_encoding_that_cost_time_make_a_rung_dearer()
    {
        PlanSession session = new(8192, 0, 0, 4, 1, 0, true);
        PlanLadder free = PlanCases.Demo(trainedSources: uint.MaxValue);
        PlanLadder timed = PlanCases.Demo(new PlanOptions { Hysteresis = 0, AttendCost = 2e-3, EncodeCost = 1e-3 }, uint.MaxValue);
        int[] rungs = new int[1];
        double budget = free.Bytes(session, 3);

        new RungPlan(free).Solve([session], budget, rungs);
        Assert.Equal("commvq2", free.Name(rungs[0]));
        new RungPlan(timed).Solve([session], budget, rungs);
        Assert.Equal("int2", timed.Name(rungs[0]));
    }

    [Fact]
    public void Without_sessions_there_is_nothing_to_plan() =>
        Assert.Equal(new PlanSummary(0, 0, 0, 0), new RungPlan(PlanCases.Demo()).Solve([], 0, []));

    [Fact]
    public void Wrong_input_is_refused_with_its_values()
    {
        PlanLadder ladder = PlanCases.Demo();
        PlanSession session = new(10, 0, 0, 2, 1, 0, true);
        int[] rungs = new int[1];
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => new RungPlan(ladder).Solve([session with { Weight = double.NaN }], 1, rungs)).Message);
        Assert.Contains("Floor = 9", Assert.Throws<ArgumentException>(() => new RungPlan(ladder).Solve([session with { Floor = 9 }], 1, rungs)).Message);
        Assert.Throws<ArgumentException>(() => new RungPlan(ladder).Solve([session, session], 1, rungs));
        PlanRung small = new() { Name = "a", BytesPerToken = 1, Distortion = 0 };
        Assert.Contains("sorted", Assert.Throws<ArgumentException>(() => new PlanLadder([small, small with { Name = "b", BytesPerToken = 2 }], 0, PlanCases.Plain)).Message);
        Assert.Throws<ArgumentException>(() => new PlanLadder([], 0, PlanCases.Plain));
    }

    private static double Least(PlanLadder ladder, PlanSession[] sessions) =>
        sessions.Sum(session => Rungs(ladder, session).Min(rung => ladder.Bytes(session, rung)));

    private static double Most(PlanLadder ladder, PlanSession[] sessions) =>
        sessions.Sum(session => Rungs(ladder, session).Max(rung => ladder.Bytes(session, rung)));

    private static int[] Rungs(PlanLadder ladder, PlanSession session) =>
        [.. Enumerable.Range(0, ladder.Count).Where(rung => ladder.Allows(session, rung))];

    // Between two rungs next to one another on the session's hull.
    private static double LargestStep(PlanLadder ladder, PlanSession session)
    {
        HullStep[] steps = new HullStep[ladder.Count];
        new SessionHull(ladder).Append(session, steps, out int count);
        return steps.Take(count).Max(step => step.FreedBytes * step.CostPerByte);
    }

    private static double Best(PlanLadder ladder, PlanSession[] sessions, double budget)
    {
        int[] choice = new int[sessions.Length];
        double best = double.PositiveInfinity;
        Try(0);
        return best;

        void Try(int session)
        {
            if (session == sessions.Length)
            {
                if (PlanCases.Bytes(ladder, sessions, choice) <= budget)
                {
                    best = Math.Min(best, PlanCases.Cost(ladder, sessions, choice));
                }
                return;
            }
            foreach (int rung in Rungs(ladder, sessions[session]))
            {
                choice[session] = rung;
                Try(session + 1);
            }
        }
    }

    // The Lagrangian bound: no choice, mixed rungs included, costs less.
    private static double Relaxed(PlanLadder ladder, PlanSession[] sessions, double budget)
    {
        double bound = 0;
        for (double price = 1e-14; price < 1; price *= 1.02)
        {
            bound = Math.Max(bound, sessions.Sum(session => Rungs(ladder, session)
                .Min(rung => ladder.Cost(session, rung) + (price * ladder.Bytes(session, rung)))) - (price * budget));
        }
        return bound;
    }
}
