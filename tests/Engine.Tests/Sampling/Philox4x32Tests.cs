using Concertina.Compute.Engine.Sampling;

namespace Concertina.Engine.Tests.Sampling;

public sealed class Philox4x32Tests
{
    [Fact]
    public void Blocks_equal_the_published_known_answers()
    {
        // Known answers of the authors' Random123 distribution, philox4x32 with 10 rounds.
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox4x32.Block((0, 0, 0, 0), (0, 0)));
        Assert.Equal(
            (0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu),
            Philox4x32.Block((uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue), (uint.MaxValue, uint.MaxValue)));
        Assert.Equal(
            (0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u),
            Philox4x32.Block((0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344), (0xa4093822, 0x299f31d0)));
    }

    [Fact]
    public void Numbers_lie_in_the_unit_interval_and_differ_by_seed_and_position()
    {
        HashSet<double> seen = [];
        for (int seed = -50; seed < 50; seed++)
        {
            for (int position = 0; position < 50; position++)
            {
                double number = Philox4x32.NextDouble(seed, position);
                Assert.InRange(number, 0, 1 - double.Epsilon);
                Assert.True(number < 1 && seen.Add(number));
            }
        }
    }
}
