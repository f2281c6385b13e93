using System.Text;
using Concertina.Runtime.Serialization;
using Orleans;

namespace Concertina.Runtime.Tests.Serialization;

public sealed class WireContractTests
{
    private readonly GrainSerializer _serializer = new([], () => new GrainReferenceConverter(null!));

    [Fact]
    public void Members_are_named_by_their_id_so_a_renamed_one_is_still_read_and_unknown_ones_are_ignored()
    {
        byte[] written = _serializer.Serialize(new Newer { Text = "x", Size = 3, Added = true });

        Older? read = _serializer.Deserialize<Older>(written);

        Assert.Equal("""{"0":"x","1":3,"7":true}""", Encoding.UTF8.GetString(written));
        Assert.Equal("x", read!.Name);
        Assert.Equal(3, read.Bytes);
    }

    [Fact]
    public void A_member_the_writer_did_not_know_keeps_its_default()
    {
        Newer? read = _serializer.Deserialize<Newer>(_serializer.Serialize(new Older("y", 4)));

        Assert.Equal("y", read!.Text);
        Assert.False(read.Added);
    }

    [GenerateSerializer]
    internal sealed record Older([property: Id(0)] string Name, [property: Id(1)] int Bytes);

    [GenerateSerializer]
    internal sealed record Newer
    {
        [Id(0)] public string Text { get; init; } = "";

        [Id(1)] public int Size { get; init; }

        [Id(7)] public required bool Added { get; init; }
    }
}
