using Concertina.Compute.Model;

namespace Concertina.Compute.Tests.Model.Gguf;

public sealed class ModelFileFuzzTests
{
    private const long LargestAllocationBytes = 4 << 20;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_header_cut_at_any_byte_is_refused(bool retrofitted)
    {
        GgufWriter writer = retrofitted ? TinyGguf.Retrofitted() : TinyGguf.Writer();
        byte[] bytes = writer.ToArray();
        for (int length = 1; length < writer.HeaderBytes; length++)
        {
            using TemporaryFile file = new(bytes.AsSpan(0, length));
            Assert.Throws<ModelFileException>(() => ModelFile.Open(file.Name));
        }
    }

    [Fact]
    public void Data_cut_anywhere_are_refused()
    {
        GgufWriter writer = TinyGguf.Writer();
        byte[] bytes = writer.ToArray();
        for (int length = writer.HeaderBytes; length < bytes.Length; length += 97)
        {
            using TemporaryFile file = new(bytes.AsSpan(0, length));
            Assert.Throws<ModelFileException>(() => ModelFile.Open(file.Name));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Random_damage_gives_a_refusal_or_a_model_and_never_a_large_allocation(bool retrofitted)
    {
        GgufWriter writer = retrofitted ? TinyGguf.Retrofitted() : TinyGguf.Writer();
        byte[] sound = writer.ToArray();
        Random random = new(20_26);
        int refused = 0;
        for (int round = 0; round < 4000; round++)
        {
            byte[] bytes = Mutate(sound, writer.HeaderBytes, random);
            using TemporaryFile file = new(bytes);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                ModelFile.Open(file.Name).Dispose();
            }
            catch (ModelFileException)
            {
                refused++;
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, LargestAllocationBytes);
        }
        Assert.InRange(refused, 2000, 4000);
    }

    private static byte[] Mutate(byte[] sound, int headerBytes, Random random)
    {
        byte[] bytes = [.. sound];
        int changes = 1 + random.Next(4);
        for (int i = 0; i < changes; i++)
        {
            int at = random.Next(headerBytes - 8);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    BitConverter.TryWriteBytes(bytes.AsSpan(at), random.NextInt64(long.MinValue, long.MaxValue));
                    break;
                default:
                    BitConverter.TryWriteBytes(bytes.AsSpan(at), (ulong)(uint.MaxValue >> random.Next(32)) << random.Next(33));
                    break;
            }
        }
        return bytes;
    }
}
