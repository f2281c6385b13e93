using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Codecs.RowQuant;

namespace Concertina.Compute.KvCache.Codecs.Fourier;

/// <summary>The codecs of one cache over one set of tables.</summary>
internal static class FourierCodecs
{
    /// <summary>Makes fourier16, fourier8 and fourier4, which differ in how the kept channels are stored.</summary>
    public static IReadOnlyList<IKvCodec> Make(FourierSetup setup)
    {
        var tables = new FourierTables(setup);
        return
        [
            new FourierCodec<F16Keys, F16Values>(tables, (CodecId.Fourier16, "fourier16"), new F16Codec()),
            new FourierCodec<RowQuantKeys<Bits8, Int8Form>, RowQuantValues<Bits8, Int8Form>>(
                tables, (CodecId.Fourier8, "fourier8"), new RowQuantCodec<Bits8, Int8Form>()),
            new FourierCodec<RowQuantKeys<Bits4, Int4Form>, RowQuantValues<Bits4, Int4Form>>(
                tables, (CodecId.Fourier4, "fourier4"), new RowQuantCodec<Bits4, Int4Form>()),
        ];
    }
}
