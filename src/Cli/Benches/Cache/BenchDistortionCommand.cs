using System.CommandLine;
using System.Globalization;
using Concertina.Cli.Evaluation;
using Concertina.Compute.Allocation;
using Concertina.Compute.Evaluation;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.Profile;

namespace Concertina.Cli.Benches.Cache;

/// <summary><c>concertina bench distortion</c>: predicted against measured divergence of sessions whose units are on several rungs.</summary>
internal static class BenchDistortionCommand
{
    private const int PlansAtOnce = 12;
    private const double LargeNats = 3e-3;
    private const int Seed = 1;

    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "GGUF file.", Required = true };
        Option<string?> profile = new("--profile") { Description = "KV profile; default: the one beside the model." };
        Option<string[]> text = new("--text") { Description = "Texts; the second half, which calibrate does not train on, is used.", Required = true, AllowMultipleArgumentsPerToken = true };
        Option<int> plans = new("--plans") { Description = "Plans; half of them are fitted to.", DefaultValueFactory = _ => 80 };
        Option<int> texts = new("--texts") { Description = "Texts that each plan is run on.", DefaultValueFactory = _ => 6 };
        Option<int> tokens = new("--tokens") { Description = "Tokens of each.", DefaultValueFactory = _ => 2048 };
        Option<int> compared = new("--compared") { Description = "Tokens at the end of each that are compared.", DefaultValueFactory = _ => 512 };
        Option<string?> json = new("--json") { Description = "File for the result." };
        Command command = new("distortion", "Compares predicted and measured divergence of sessions on mixed rungs.")
        {
            model, profile, text, plans, texts, tokens, compared, json,
        };
        command.SetAction((arguments, cancellation) => Task.Run(() =>
        {
            using EvaluatedModel opened = EvaluatedModel.Open(arguments.GetRequiredValue(model), arguments.GetValue(profile));
            int[] all = opened.Tokens(arguments.GetRequiredValue(text));
            int[][] windows = [.. opened.Windows(all.AsSpan(all.Length / 2), arguments.GetRequiredValue(tokens), arguments.GetRequiredValue(texts))];
            if (windows.Length < arguments.GetRequiredValue(texts))
            {
                throw new CliException(ExitCode.Usage, $"The texts' second half has {windows.Length} of {arguments.GetRequiredValue(texts)} texts of {arguments.GetRequiredValue(tokens)} tokens. Name more text.");
            }
            DistortionFile result = Run(opened, windows, arguments.GetRequiredValue(compared), arguments.GetRequiredValue(plans), cancellation);
            Print(result);
            ResultFile.Write(arguments.GetValue(json), result, ResultJson.Default.DistortionFile);
            return ExitCode.Success;
        }, cancellation));
        return command;
    }

    private static DistortionFile Run(EvaluatedModel model, int[][] windows, int compared, int planCount, CancellationToken cancellation)
    {
        string[] rungs = [.. RungList.Named("all", model.Profile).Where(name => name != "f16")];
        MixedRung[] mixed = [default, .. rungs.Select(rung => new MixedRung(Measured(model.Profile, rung), RungCatalog.Parse(rung).KeepOneIn > 1))];
        using EvaluationRig rig = new(model.File, model.Profile, new EvaluationSettings { Rungs = rungs });
        IReadOnlyList<MixedPlan> plans = MixedPlan.Draw(planCount, rungs.Length + 1, windows[0].Length - compared, Seed);
        (double[][] Shares, double Measured)[] samples = Samples(rig, plans, windows, compared, cancellation);
        int half = plans.Count / 2;
        DistortionMix fitted = DistortionMix.Fit(samples[..half], mixed, LargeNats);
        string[] names = ["f16", .. rungs];
        return new DistortionFile
        {
            Command = CommandLineText.Of(Environment.GetCommandLineArgs()),
            Model = model.File.Config.Name,
            Tokens = windows[0].Length,
            ComparedTokens = compared,
            Texts = windows.Length,
            FittedPower = Math.Round(fitted.Power, 2),
            FittedDecay = fitted.Decay,
            FittedScale = Math.Round(fitted.Scale, 4),
            Fitted = Fit(fitted, samples[half..], mixed),
            Used = Fit(DistortionMix.Default, samples[half..], mixed),
            Plans = [.. samples.Select((sample, i) => new DistortionEntry(
                History(plans[i], names),
                names.Zip(Shares(sample.Shares, fitted)).Where(pair => pair.Second > 0).ToDictionary(pair => pair.First, pair => Math.Round(pair.Second, 4)),
                sample.Measured, Predict(fitted, sample.Shares, mixed), Predict(DistortionMix.Default, sample.Shares, mixed)))],
        };
    }

    private static double Measured(KvProfile? profile, string rung) =>
        profile?.Rungs.FirstOrDefault(measured => measured.Name == rung)?.MeanKl
        ?? throw new CliException(ExitCode.Usage, $"The profile has no divergence of {rung}; make one with concertina calibrate.");

    private static (double[][] Shares, double Measured)[] Samples(
        EvaluationRig rig, IReadOnlyList<MixedPlan> plans, int[][] windows, int compared, CancellationToken cancellation)
    {
        List<(double[][] Shares, double Measured)> samples = [];
        foreach (MixedPlan[] some in plans.Chunk(PlansAtOnce))
        {
            MixedSample[] sums = [.. some.Select(_ => new MixedSample(new DivergenceSamples(), []))];
            foreach (int[] window in windows)
            {
                IReadOnlyList<MixedSample> found = new MixedEvaluation(rig, compared).Run(window, some, cancellation);
                for (int i = 0; i < some.Length; i++)
                {
                    sums[i].Divergence.Add(found[i].Divergence);
                    sums[i] = sums[i] with { Shares = found[i].Shares };
                }
            }
            samples.AddRange(sums.Select(sum => (sum.Shares, sum.Divergence.MeanKl)));
            Screen.Line(string.Create(CultureInfo.InvariantCulture, $"{samples.Count} of {plans.Count} plans"));
        }
        return [.. samples];
    }

    private static DistortionFit Fit(DistortionMix mix, (double[][] Shares, double Measured)[] samples, MixedRung[] rungs)
    {
        double[] predicted = [.. samples.Select(sample => Predict(mix, sample.Shares, rungs))];
        double[] factors = [.. samples.Zip(predicted)
            .Where(pair => pair.First.Measured >= LargeNats)
            .Select(pair => Math.Max(pair.First.Measured / pair.Second, pair.Second / pair.First.Measured))];
        double correlation = RankCorrelation.Of([.. samples.Select(sample => sample.Measured)], predicted);
        return new DistortionFit(samples.Length, Math.Round(correlation, 4), factors.Length, Math.Round(factors.DefaultIfEmpty(1).Max(), 3));
    }

    private static double Predict(DistortionMix mix, double[][] shares, MixedRung[] rungs) => mix.Predict(Shares(shares, mix), rungs);

    private static double[] Shares(double[][] shares, DistortionMix mix) => shares[DistortionMix.Decays.ToList().IndexOf(mix.Decay)];

    private static string History(MixedPlan plan, string[] names) => string.Join(", then ",
        plan.Rungs.Select((rung, part) => part < plan.Ends.Count ? $"{names[rung]} up to {plan.Ends[part]}" : names[rung]));

    private static void Print(DistortionFile result)
    {
        foreach (DistortionEntry plan in result.Plans)
        {
            Screen.Line(string.Create(CultureInfo.InvariantCulture, $"{plan.Measured,9:G3} {plan.Fitted,9:G3} {plan.Used,9:G3}  {plan.History}"));
        }
        Screen.Line(string.Create(CultureInfo.InvariantCulture,
            $"fitted: power {result.FittedPower}, decay {result.FittedDecay}, scale {result.FittedScale}; on the other half {result.Fitted}; rule in use {result.Used}"));
    }
}
