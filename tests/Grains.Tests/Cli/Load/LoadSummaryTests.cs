using System.Xml.Linq;
using Concertina.Cli.Benches.Load;

namespace Concertina.Grains.Tests.Cli.Load;

public sealed class LoadSummaryTests
{
    private static readonly ServiceLimits Limits = new() { TtftMs = 1000, ItlMs = 100 };

    [Theory]
    [InlineData("stop", 1000.0, 100.0, true)]
    [InlineData("stop", 1000.0, null, true)]
    [InlineData("length", 10.0, 10.0, false)]
    [InlineData("stop", 1000.1, 10.0, false)]
    [InlineData("stop", 10.0, 100.1, false)]
    [InlineData("stop", null, 10.0, false)]
    [InlineData(null, 10.0, 10.0, false)]
    [InlineData("error", 10.0, 10.0, false)]
    public void A_turn_is_good_when_it_ended_by_itself_within_both_limits(string? finish, double? ttft, double? itl, bool good) =>
        Assert.Equal(good, Turn(0, finish, ttft, itl).IsGood(Limits));

    [Fact]
    public void Every_turn_is_counted_once_and_goodput_is_of_the_time_from_the_first_request_to_the_last_end()
    {
        TurnResult[] turns =
        [
            Turn(2, "stop", 100, 10) with { Right = true, Rung = "f16" },
            Turn(4, "stop", 5000, 10) with { Rung = "int4" },
            Turn(6, "length", 200, 10) with { Right = true, Rung = "int4" },
            Turn(8, null, null, null) with { RefusedStatus = 429, Failure = "429: full" },
            Turn(10, null, 50, 10) with { Failure = "broke", EndSeconds = 12 },
        ];

        LoadResult result = LoadSummary.Of(Scenario, turns, [], "engine_sequences_reclaimed_total{a=\"b\"} 3\nengine_reflexes_total 2\nengine_reflexes_total_more 5\nvllm:num_preemptions_total 1\n"
            + "kv_cache_memory_reclaimed_bytes_total 500000000\nkv_cache_squeeze_duration_seconds_total 2\n");

        Assert.Equal((1, 3, 1, 1, 1), (result.Good, result.Completed, result.Failed, result.Truncated, result.Refused));
        Assert.Equal((turns.Length, 10.0, 0.1, 0.4), (result.Completed + result.Failed + result.Refused, result.Seconds, result.Goodput, result.Recall));
        Assert.Equal((3, 2, 1, 4.0), (result.Reclaimed, result.Reflexes, result.Preemptions, result.ReclaimSecondsPerGb));
        Assert.Equal(new LoadPercentiles(20, 20, 20), result.ItlMs); // of every gap, not of the means of turns
        Assert.Equal([("f16", 1), ("int4", 2)], result.Rungs.Select(rung => (rung.Key, rung.Value)));
        Assert.Equal(new LoadPercentiles(200, 5000, 5000), result.TtftMs);
    }

    [Fact]
    public void Wilsons_interval_is_that_of_the_tables()
    {
        // Newcombe 1998, table I: 81 of 263, 0.2553 to 0.3662; 0 of 20, 0 to 0.1611.
        Assert.Equal([0.2553, 0.3662], LoadSummary.Wilson(81, 263));
        Assert.Equal([0, 0.1611], LoadSummary.Wilson(0, 20));
    }

    [Fact]
    public void The_picture_is_xml_with_a_bar_a_turn()
    {
        MemorySample[] samples =
        [
            MemorySample.Read("kv_cache_memory_usage_by_rung_bytes{rung=\"f16\"} 10\nkv_cache_memory_limit_bytes 100\n", 0),
            MemorySample.Read("kv_cache_memory_usage_by_rung_bytes{rung=\"f16\"} 5\nkv_cache_memory_usage_by_rung_bytes{rung=\"int4\"} 7\nkv_cache_memory_limit_bytes 100\n", 1),
        ];
        LoadResult result = LoadSummary.Of(Scenario, [Turn(0, "stop", 1, 1), Turn(1, "stop", 1, 1)], samples, null) with { Policy = "elastic" };

        XDocument picture = XDocument.Parse(LoadPlot.Of(result));

        Assert.Equal([("f16", 5.0), ("int4", 7.0)], samples[1].RungBytes.Select(rung => (rung.Key, rung.Value)));
        // The ground, two rungs in the legend, two turns.
        Assert.Equal(5, picture.Descendants().Count(element => element.Name.LocalName == "rect"));
        Assert.Equal(2, picture.Descendants().Count(element => element.Name.LocalName == "polygon"));
        Assert.DoesNotContain("NaN", picture.ToString(), StringComparison.Ordinal);
    }

    private static Scenario Scenario => new()
    {
        Name = "s",
        Demand = 1,
        Sessions = 1,
        ContextTokens = 1,
        Turns = 1,
        Arrivals = new ArrivalRule { Kind = "burst" },
        Limits = Limits,
    };

    private static TurnResult Turn(double sent, string? finish, double? ttft, double? itl) => new()
    {
        Session = 0,
        Turn = 0,
        Document = 0,
        SentSeconds = sent,
        EndSeconds = sent + 1,
        Finish = finish,
        TtftMs = ttft,
        ItlMs = itl,
        GapsMs = itl is null ? [] : [0, 20, 20],
    };
}
