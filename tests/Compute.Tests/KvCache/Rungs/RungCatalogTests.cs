using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Compute.Tests.KvCache.Rungs;

public sealed class RungCatalogTests
{
    [Fact]
    public void Names_are_stable_and_go_from_lossless_to_deep()
    {
        Assert.Equal(["f16", "int8", "k8v4", "int4", "k4v2", "int2", "commvq2", "commvq1", "xq8", "xq4", "xq3", "xq2"], RungCatalog.All.Select(rung => rung.Name));
        Assert.Equal(["f16", "int8", "k8v4", "int4", "k4v2", "int2"], RungCatalog.WithoutProfile.Select(rung => rung.Name));
    }

    [Theory]
    [InlineData("f16", "f16", "f16", 1)]
    [InlineData("k8v4", "int8", "int4", 1)]
    [InlineData("k4v2+evict8", "int4", "int2", 8)]
    [InlineData("commvq1+evict64", "commvq1", "commvq1", 64)]
    [InlineData("int4+dms4", "int4", "int4", 4, true)]
    [InlineData("xq3", "xq3", "xq3", 1)]
    public void A_name_says_both_codecs_and_what_is_kept(string name, string keys, string values, int keepOneIn, bool decided = false)
    {
        Assert.True(RungCatalog.TryParse(name, out Rung? rung, out _));
        Assert.Equal(new Rung(name, keys, values, keepOneIn, decided), rung);
    }

    [Theory]
    [InlineData("int3")]
    [InlineData("")]
    [InlineData("F16")]
    [InlineData("+evict4")]
    [InlineData("int4+evict")]
    [InlineData("int4+evict1")]
    [InlineData("int4+evict65")]
    [InlineData("int4+evict04")]
    [InlineData("int4+evict-4")]
    [InlineData("int4+evict4+evict4")]
    [InlineData("int4+evict4+dms4")]
    [InlineData("int4+dms1")]
    [InlineData("+dms4")]
    [InlineData("int4+evict99999999999")]
    public void Anything_else_is_refused_with_what_is_known(string name)
    {
        Assert.False(RungCatalog.TryParse(name, out _, out string? problem));
        Assert.Contains(name, problem);
        Assert.Contains(name, Assert.Throws<ArgumentException>(() => RungCatalog.Parse(name)).Message);
    }

    [Fact]
    public void Arms_are_found_by_name_and_are_on_no_ladder()
    {
        Assert.Equal(new Rung("int2c", "int2c", "int2c", 1), RungCatalog.Parse("int2c"));
        Assert.False(RungCatalog.TryParse("int2c", out _, out _));
    }
}
