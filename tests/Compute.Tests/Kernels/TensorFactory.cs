using System.Runtime.InteropServices;
using Concertina.Compute.Kernels;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Tests.Kernels;

/// <summary>Random tensors in file format, and what their elements are.</summary>
internal static unsafe class TensorFactory
{
    public static WeightTensor Random(TensorType type, int rows, int columns, int seed)
    {
        Random random = new(seed);
        WeightTensor tensor = WeightTensor.Allocate("test", type, rows, columns);
        byte* target = tensor.Data;
        if (type == TensorType.Q80)
        {
            for (int block = 0; block < rows * columns / 32; block++)
            {
                // Subnormal, negative and zero scales occur in files too.
                float scale = (block % 7) switch { 0 => 3e-6f, 1 => -0.01f, 2 => 0f, _ => 0.001f + (0.02f * random.NextSingle()) };
                *(ushort*)target = HalfConversion.ToHalf(scale);
                random.NextBytes(new Span<byte>(target + 2, 32));
                target += 34;
            }
            return tensor;
        }
        for (int i = 0; i < rows * columns; i++)
        {
            float value = i % 50 == 0 ? 2e-6f * random.NextSingle() : (random.NextSingle() - 0.5f) / 4;
            switch (type)
            {
                case TensorType.F32:
                    ((float*)target)[i] = value;
                    break;
                case TensorType.F16:
                    ((ushort*)target)[i] = HalfConversion.ToHalf(value);
                    break;
                default:
                    ((ushort*)target)[i] = (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
                    break;
            }
        }
        return tensor;
    }

    /// <summary>Element (row, column), by the definition of the format.</summary>
    public static float Element(WeightTensor tensor, int row, int column)
    {
        byte* start = tensor.Data + (row * tensor.RowBytes);
        switch (tensor.Type)
        {
            case TensorType.F32:
                return ((float*)start)[column];
            case TensorType.F16:
                return (float)((Half*)start)[column];
            case TensorType.BF16:
                return BitConverter.UInt32BitsToSingle((uint)((ushort*)start)[column] << 16);
            default:
                byte* block = start + (column / 32 * 34);
                return (float)*(Half*)block * ((sbyte*)block)[2 + (column % 32)];
        }
    }

    public static float[] Values(int count, int seed)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (random.NextSingle() - 0.5f) * (i % 37 == 0 ? 60 : 4);
        }
        return values;
    }

    public static ReadOnlySpan<int> Bits(ReadOnlySpan<float> values) => MemoryMarshal.Cast<float, int>(values);
}
