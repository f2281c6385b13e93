using System.Runtime.CompilerServices;

namespace Concertina.Compute.Engine.Sampling;

/// <summary>
/// Philox4x32-10: a counter-based generator; a draw is a pure function of (seed, position), so it does not depend on
/// batch, worker or what was drawn before.
/// </summary>
/// <remarks>Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011), section 5.1 and table 1.</remarks>
internal static class Philox4x32
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>A number in [0, 1) with 53 random bits.</summary>
    /// <param name="seed">Key.</param>
    /// <param name="position">Counter: position of the drawn token in its sequence.</param>
    public static double NextDouble(long seed, long position)
    {
        (uint x0, uint x1, _, _) = Block(
            ((uint)position, (uint)(position >> 32), 0, 0), ((uint)seed, (uint)(seed >> 32)));
        ulong bits = ((ulong)x1 << 32) | x0;
        return (bits >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>One block of four words.</summary>
    public static (uint X0, uint X1, uint X2, uint X3) Block(
        (uint C0, uint C1, uint C2, uint C3) counter, (uint K0, uint K1) key)
    {
        for (int round = 0; round < Rounds; round++)
        {
            counter = Round(counter, key);
            key = (key.K0 + Weyl0, key.K1 + Weyl1);
        }
        return counter;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (uint, uint, uint, uint) Round((uint C0, uint C1, uint C2, uint C3) counter, (uint K0, uint K1) key)
    {
        ulong product0 = (ulong)Multiplier0 * counter.C0;
        ulong product1 = (ulong)Multiplier1 * counter.C2;
        return (
            (uint)(product1 >> 32) ^ counter.C1 ^ key.K0, (uint)product1,
            (uint)(product0 >> 32) ^ counter.C3 ^ key.K1, (uint)product0);
    }
}
