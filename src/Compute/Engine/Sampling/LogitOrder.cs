using System.Runtime.CompilerServices;

namespace Concertina.Compute.Engine.Sampling;

/// <summary>
/// The order of likelihood as one number: a token's key is below another's when its logit is higher, or equal and its id
/// lower. Sorting keys upwards sorts tokens from most to least likely, ties to the lower id.
/// </summary>
internal static class LogitOrder
{
    private const uint SignBit = 0x8000_0000;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Key(float logit, int token)
    {
        uint bits = BitConverter.SingleToUInt32Bits(logit + 0f); // -0 becomes +0: they are equal
        uint rising = (bits & SignBit) != 0 ? ~bits : bits | SignBit;
        return ((ulong)~rising << 32) | (uint)token;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Token(ulong key) => (int)(uint)key;
}
