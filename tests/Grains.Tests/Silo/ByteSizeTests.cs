using Concertina.Silo.Options;
using Microsoft.Extensions.Configuration;

namespace Concertina.Grains.Tests.Silo;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("4GiB", 4L << 30)]
    [InlineData("512MiB", 512L << 20)]
    [InlineData(" 1.5 gib ", 3L << 29)]
    [InlineData("2GB", 2_000_000_000L)]
    [InlineData("1024", 1024L)]
    [InlineData("0", 0L)]
    public void Sizes_are_read_as_people_write_them(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GiB")]
    [InlineData("-1")]
    [InlineData("12XB")]
    [InlineData("1,5GiB")]
    [InlineData("99999999TiB")]
    public void What_is_no_size_is_refused(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Fact]
    public void A_wrong_size_in_the_configuration_is_named_with_its_key()
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection([new("KvCache:BudgetBytes", "much")]).Build();
        FormatException problem = Assert.Throws<FormatException>(() => ByteSize.Normalize(configuration));
        Assert.Contains("KvCache:BudgetBytes", problem.Message, StringComparison.Ordinal);
    }
}
