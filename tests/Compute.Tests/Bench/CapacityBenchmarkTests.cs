using Concertina.Compute.Bench;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Compute.Tests.Bench;

public sealed class CapacityBenchmarkTests
{
    // Sessions of this shape are larger than what rounding to extents can cost, which is three of 1 MiB.
    private static readonly KvShape Wide = new(8, 4, 1, 32);

    [Theory]
    [InlineData("f16")]
    [InlineData("int8")]
    [InlineData("k4v2")]
    [InlineData("int2")]
    public void As_many_sessions_fit_as_the_bytes_formula_says_give_or_take_one(string rung)
    {
        CapacityResult result = Measure(Wide, rung, 8192, budgetMiB: 80);
        Assert.True(result.FormulaSessions >= 1);
        Assert.InRange(result.Sessions, result.FormulaSessions - 1, result.FormulaSessions + 1);
        Assert.InRange(result.BytesPerSession, result.FormulaBytes * 98 / 100, result.FormulaBytes);
        Assert.True(result.FormulaBytes <= result.SettledBytes);
        Assert.True(result.UsedBytes + result.FragmentedBytes <= result.BudgetBytes);
    }

    [Theory]
    [InlineData("int8+evict2", 2)]
    [InlineData("int4+evict4", 4)]
    public void On_a_rung_that_evicts_the_columns_behind_the_window_are_so_many_times_fewer(string rung, int keepOneIn)
    {
        CapacityResult kept = Measure(Wide, rung.Split('+')[0], 8192, budgetMiB: 80);
        CapacityResult evicted = Measure(Wide, rung, 8192, budgetMiB: 80);
        Assert.InRange(evicted.Sessions, evicted.FormulaSessions - 1, evicted.FormulaSessions + 1);
        Assert.InRange(evicted.BytesPerSession, evicted.FormulaBytes * 95 / 100, evicted.FormulaBytes);
        // What stays exact and the rings of queries are not divided.
        Assert.InRange(evicted.BytesPerSession, kept.BytesPerSession / keepOneIn, kept.BytesPerSession * 3 / 2 / keepOneIn);
        Assert.True(evicted.Sessions > kept.Sessions);
    }

    [Theory]
    [InlineData("f16", 640)]
    [InlineData("int4", 640)]
    [InlineData("int4", 641)]
    [InlineData("int2", 1000)]
    [InlineData("int2", 100)]
    [InlineData("int4+evict2", 1000)]
    public void Copied_sessions_take_the_bytes_of_grown_ones(string rung, int tokens)
    {
        var shape = new KvShape(2, 2, 1, 32);
        CapacityResult copied = Measure(shape, rung, tokens, budgetMiB: 12);
        CapacityResult grown = Measure(shape, rung, tokens, budgetMiB: 12, growAll: true);
        Assert.True(copied.Sessions > 1);
        Assert.Equal(copied.BytesPerSession, grown.BytesPerSession);
        // While a session grows, a column more than at rest is in the open form, which decides where few bytes are left.
        Assert.InRange(grown.Sessions, copied.Sessions - 1, copied.Sessions + 1);
    }

    [Fact]
    public void A_session_larger_than_the_budget_is_counted_as_none()
    {
        CapacityResult result = Measure(Wide, "int2", 8192, budgetMiB: 8);
        Assert.Equal(0, result.Sessions);
        Assert.Equal(0, result.FormulaSessions);
    }

    private static CapacityResult Measure(KvShape shape, string rung, int tokens, long budgetMiB, bool growAll = false)
    {
        CapacitySettings settings = new() { BudgetBytes = budgetMiB << 20, Tokens = tokens, Rungs = [rung], GrowAll = growAll };
        var setup = new CapacitySetup(shape, CodecCatalog.WithoutProfile(), settings);
        return CapacityBenchmark.Measure(setup, RungCatalog.Parse(rung), TestContext.Current.CancellationToken);
    }
}
