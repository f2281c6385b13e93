using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.Tests.KvCache.Codecs.RowQuant;

/// <summary>Every integer operation and conversion of a vector width against one lane.</summary>
internal static unsafe class LaneTwins
{
    public static void AssertSame<TL, TV>(uint[] words)
        where TL : struct, ILanes<TV>
        where TV : struct => Assert.Equal(Results<ScalarLanes, float>(words), Results<TL, TV>(words));

    // The bits of all results; NaN counts as one number.
    private static uint[] Results<TL, TV>(uint[] words)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        int count = words.Length / 2;
        uint[] results = new uint[count * 8];
        fixed (uint* first = words, target = results)
        {
            uint* second = first + count;
            for (int i = 0; i < count; i += TL.Width)
            {
                TV a = TL.Load((float*)(first + i));
                TV b = TL.Load((float*)(second + i));
                TL.LoadHalves(first + i, out TV low, out TV high);
                TV small = TL.Multiply(TL.ToFloats(a), TL.Set(1f / 65536f));
                TV[] all =
                [
                    TL.Field(a, 0, 0x000F_000F), TL.Field(a, 12, 0x000F_000F), TL.MultiplyAddPairs(a, b, TL.Field(b, 8, 0x00FF_00FF)),
                    TL.ToPairs(TL.Field(a, 16, 0xFFFF), b), TL.ToFloats(a), TL.ToIntegers(small), low, high,
                ];
                for (int result = 0; result < all.Length; result++)
                {
                    TL.Store((float*)(target + (result * count) + i), all[result]);
                }
            }
        }
        for (int i = count * 6; i < results.Length; i++)
        {
            results[i] = float.IsNaN(BitConverter.UInt32BitsToSingle(results[i])) ? uint.MaxValue : results[i];
        }
        return results;
    }
}
