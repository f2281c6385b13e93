using Concertina.Compute.KvCache.Eviction.Scoring;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>The last query rows of a layer.</summary>
public sealed class ObservationRingTests
{
    private const int Rows = 4;
    private const int Width = 6;

    private readonly byte[] _bytes = new byte[ObservationRing.BytesFor(Rows, Width)];

    public ObservationRingTests() => Ring().Clear();

    [Fact]
    public void It_is_full_when_it_holds_the_last_rows_and_only_then()
    {
        Assert.False(Ring().IsFull(4));
        Add(0, 3);
        Assert.False(Ring().IsFull(3));
        Add(3, 1);
        Assert.True(Ring().IsFull(4));
        Assert.False(Ring().IsFull(5));
        Assert.False(Ring().IsFull(3));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(50)]
    public void It_keeps_the_last_rows_however_they_come(int step)
    {
        for (int from = 0; from < 23; from += step)
        {
            Add(from, Math.Min(step, 23 - from));
        }

        Assert.Equal([19, 20, 21, 22], Ring().Positions.ToArray().Order());
        float[] queries = new float[2 * Rows * 3];
        Ring().Gather(0, 3, queries);
        for (int head = 0; head < 2; head++)
        {
            for (int row = 0; row < Rows; row++)
            {
                int position = Ring().Positions[row];
                for (int c = 0; c < 3; c++)
                {
                    Assert.Equal(Element(position, (head * 3) + c), queries[(((head * Rows) + row) * 3) + c]);
                }
            }
        }
        float[] second = new float[Rows * 3];
        Ring().Gather(1, 3, second);
        Assert.Equal(queries[(Rows * 3)..], second);
    }

    [Fact]
    public void After_a_cut_it_is_full_again_when_the_last_rows_were_written_again()
    {
        Add(0, 10);
        Assert.False(Ring().IsFull(8));
        Add(8, 1);
        Assert.False(Ring().IsFull(9));
        Add(9, 1);
        Assert.True(Ring().IsFull(10));
    }

    [Fact]
    public void Too_little_memory_is_refused_with_the_bytes_it_needs() =>
        Assert.Contains(
            ObservationRing.BytesFor(Rows, Width).ToString(), Assert.Throws<ArgumentException>(() => new ObservationRing(_bytes.AsSpan(1), Rows, Width)).Message);

    private ObservationRing Ring() => new(_bytes, Rows, Width);

    private void Add(int from, int count)
    {
        float[] queries = new float[count * Width];
        for (int i = 0; i < queries.Length; i++)
        {
            queries[i] = Element(from + (i / Width), i % Width);
        }
        Ring().Add(from, queries);
    }

    private static float Element(int position, int channel) => (position * 8) + channel;
}
