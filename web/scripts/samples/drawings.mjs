// Drawings of things, each in a square of 100 by 100, as SVG.

const eye = (x, y, r = 5) => `<circle cx="${x}" cy="${y}" r="${r}" fill="#1f2933"/><circle cx="${x - r / 3}" cy="${y - r / 3}" r="${r / 3}" fill="#fff"/>`;

export const DRAWINGS = {
  cat: (fur = '#f5a742', dark = '#d9822b') => `
    <path d="M16 12 L36 30 H64 L84 12 Q92 34 90 54 Q88 92 50 92 Q12 92 10 54 Q8 34 16 12Z" fill="${fur}"/>
    <path d="M19 20 L32 32 L20 40Z M81 20 L68 32 L80 40Z" fill="#f7c6b5"/>
    <path d="M46 30h8v16h-8z M34 33l6 12-7 1z M66 33l-6 12 7 1z" fill="${dark}"/>
    ${eye(32, 54, 7)}${eye(68, 54, 7)}
    <ellipse cx="50" cy="74" rx="20" ry="14" fill="#fff3e2"/>
    <path d="M44 65h12l-6 7z" fill="#e4616f"/><path d="M50 72v4q-5 6-10 2M50 76q5 6 10 2" fill="none" stroke="#7b4a1e" stroke-width="2.5" stroke-linecap="round"/>
    <path d="M6 62l22 4M4 74l24-2M94 62l-22 4M96 74l-24-2" stroke="#7b4a1e" stroke-width="1.8" stroke-linecap="round"/>`,
  dog: () => `
    <path d="M22 20 Q50 8 78 20 Q92 40 86 66 Q78 94 50 94 Q22 94 14 66 Q8 40 22 20Z" fill="#c98a52"/>
    <path d="M24 18 Q4 20 4 48 Q6 68 20 64 Q26 44 32 24Z M76 18 Q96 20 96 48 Q94 68 80 64 Q74 44 68 24Z" fill="#7c4a24"/>
    <ellipse cx="50" cy="68" rx="23" ry="21" fill="#f6e3cc"/>
    ${eye(36, 44, 6)}${eye(64, 44, 6)}
    <ellipse cx="50" cy="57" rx="10" ry="7" fill="#2b2320"/>
    <path d="M50 63v8M36 70q14 10 28 0" fill="none" stroke="#2b2320" stroke-width="3" stroke-linecap="round"/>
    <path d="M44 75q6 3 12 0v8q-6 8-12 0z" fill="#ef6f7c"/>`,
  fish: (body = '#ff8a3d', fin = '#e8591c') => `
    <path d="M70 50 Q88 22 97 26 Q90 50 97 74 Q88 78 70 50Z" fill="${fin}"/>
    <path d="M36 24 Q52 6 62 28Z M40 76 Q54 92 60 72Z" fill="${fin}"/>
    <path d="M4 52 Q22 20 50 22 Q72 26 80 50 Q72 76 50 79 Q22 80 4 52Z" fill="${body}"/>
    <path d="M36 23 Q46 50 36 79 Q42 80 50 79 Q60 50 50 22 Q42 21 36 23Z" fill="#fff" opacity=".85"/>
    ${eye(22, 44, 6)}<path d="M6 56q8 4 14 0" stroke="#8a3210" stroke-width="2.5" fill="none" stroke-linecap="round"/>`,
  boat: (hull = '#d64545') => `
    <path d="M47 6h5v62h-5z" fill="#7a5230"/>
    <path d="M54 10 Q88 34 90 60 H54Z" fill="#f7f4ec"/><path d="M54 40 Q74 46 89 56 L90 60 H54Z" fill="#dfe7ee"/>
    <path d="M44 18 Q18 40 14 60 H44Z" fill="#ffd166"/>
    <path d="M4 66 H96 Q90 92 72 93 H28 Q10 92 4 66Z" fill="${hull}"/><path d="M4 66H96l-2 8H6z" fill="#fff"/>`,
  sun: () => `
    ${Array.from({ length: 12 }, (_, i) => `<path d="M46 16 L50 1 L54 16Z" fill="#f9b233" transform="rotate(${i * 30} 50 50)"/>`).join('')}
    <circle cx="50" cy="50" r="31" fill="#ffd23f"/><circle cx="50" cy="50" r="31" fill="none" stroke="#f9b233" stroke-width="4"/>`,
  house: (wall = '#f3e3c3', roof = '#c8453b') => `
    <path d="M68 12h12v24H68z" fill="#9b5b43"/>
    <path d="M14 46h72v48H14z" fill="${wall}"/><path d="M2 50 L50 8 L98 50 L92 56 L50 20 L8 56Z" fill="${roof}"/><path d="M50 20 L86 51 H14Z" fill="${wall}"/>
    <path d="M42 62h18v32H42z" fill="#8a5a34"/><circle cx="56" cy="79" r="2" fill="#ffd166"/>
    <path d="M20 60h16v16H20zM66 60h16v16H66z" fill="#8fd0f0"/><path d="M28 60v16M20 68h16M74 60v16M66 68h16" stroke="#fff" stroke-width="2.5"/>`,
  tree: (crown = '#3f9b4b', light = '#5cb85c') => `
    <path d="M43 58h14l3 38H40z" fill="#8a5a34"/>
    <circle cx="50" cy="28" r="25" fill="${crown}"/><circle cx="28" cy="46" r="21" fill="${crown}"/><circle cx="72" cy="46" r="21" fill="${crown}"/><circle cx="50" cy="50" r="22" fill="${crown}"/>
    <circle cx="42" cy="22" r="10" fill="${light}"/><circle cx="24" cy="42" r="8" fill="${light}"/><circle cx="66" cy="40" r="9" fill="${light}"/>`,
  car: (paint = '#e03e3e', dark = '#b22d2d') => `
    <path d="M24 46 Q30 26 40 25 H62 Q72 26 82 46Z" fill="${paint}"/>
    <path d="M31 45 Q35 31 42 31 H49 V45Z M54 31 H61 Q68 32 74 45 H54Z" fill="#bfe3f5"/>
    <path d="M4 56 Q6 46 18 45 H84 Q97 48 97 60 V70 Q97 74 92 74 H8 Q3 74 4 68Z" fill="${paint}"/><path d="M4 64h93v6q0 4-5 4H8q-5 0-4-6z" fill="${dark}"/>
    <path d="M4 55h10q2 6-9 6zM97 55H89q-2 6 8 6z" fill="#ffe38a"/>
    ${[26, 76].map((x) => `<circle cx="${x}" cy="74" r="12" fill="#2d3440"/><circle cx="${x}" cy="74" r="5.5" fill="#cfd6dd"/>`).join('')}`,
  apple: (skin = '#d93a3a', dark = '#b02525') => `
    <path d="M50 30 Q50 14 58 6" stroke="#6b4226" stroke-width="5" fill="none" stroke-linecap="round"/>
    <path d="M56 20 Q66 4 84 10 Q76 26 56 20Z" fill="#57a639"/>
    <path d="M50 30 Q70 18 84 32 Q98 52 82 78 Q70 98 50 90 Q30 98 18 78 Q2 52 16 32 Q30 18 50 30Z" fill="${skin}"/>
    <path d="M82 78 Q70 98 50 90 Q76 86 86 56 Q90 68 82 78Z" fill="${dark}"/><path d="M24 40 Q28 32 38 32 Q26 42 26 56 Q20 48 24 40Z" fill="#fff" opacity=".6"/>`,
  banana: () => `
    <path d="M10 26 L20 18 Q26 56 58 66 Q78 70 92 58 L97 66 Q84 90 56 88 Q14 80 10 26Z" fill="#ffd83d"/>
    <path d="M14 34 Q22 72 58 78 Q82 80 96 64 Q84 90 56 88 Q18 80 14 34Z" fill="#f0b92b"/>
    <path d="M10 26 L8 16 L16 11 L20 18Z M92 58 L97 66 L99 60Z" fill="#6b4a1d"/>`,
  strawberry: () => `
    <path d="M50 96 Q14 74 12 44 Q14 24 34 26 Q50 30 66 26 Q86 24 88 44 Q86 74 50 96Z" fill="#e6324b"/>
    <path d="M50 34 Q34 40 20 26 Q32 24 38 18 Q46 16 50 6 Q54 16 62 18 Q68 24 80 26 Q66 40 50 34Z" fill="#4b9f3a"/>
    <g fill="#ffe08a">${[[30, 48], [50, 46], [70, 48], [38, 62], [60, 62], [50, 76]].map(([x, y]) => `<ellipse cx="${x}" cy="${y}" rx="2.5" ry="4"/>`).join('')}</g>`,
  umbrella: (cloth = '#7b5cd6') => `
    <path d="M50 4v10M50 46v36q0 12-11 12-9 0-9-9" stroke="#5b4632" stroke-width="5" fill="none" stroke-linecap="round"/>
    <path d="M4 54 Q8 12 50 10 Q92 12 96 54 Q88 44 80 54 Q66 40 50 54 Q34 40 20 54 Q12 44 4 54Z" fill="${cloth}"/>
    <path d="M50 10 Q34 24 34 47 Q26 42 20 54 Q22 22 50 10Z M50 10 Q66 24 66 47 Q74 42 80 54 Q78 22 50 10Z" fill="#fff" opacity=".28"/>`,
  balloon: (skin = '#ef4463') => `
    <path d="M50 72 Q40 84 52 98" stroke="#8b95a1" stroke-width="2.5" fill="none"/>
    <ellipse cx="50" cy="37" rx="30" ry="35" fill="${skin}"/><path d="M50 70l-6 8h12z" fill="${skin}"/><path d="M30 28 Q34 12 48 10 Q36 20 34 38 Q30 36 30 28Z" fill="#fff" opacity=".55"/>`,
  star: () => '<path d="M50 4 L63 36 L97 38 L71 60 L80 94 L50 75 L20 94 L29 60 L3 38 L37 36Z" fill="#ffcf33" stroke="#f0a92b" stroke-width="4" stroke-linejoin="round"/>',
  moon: () => '<path d="M66 6 A46 46 0 1 0 94 70 A38 38 0 0 1 66 6Z" fill="#ffe08a"/><g fill="#eec463"><circle cx="34" cy="44" r="6"/><circle cx="46" cy="72" r="8"/><circle cx="28" cy="66" r="4"/></g>',
  mushroom: () => `
    <path d="M36 56 H64 Q60 76 68 92 Q50 98 32 92 Q40 76 36 56Z" fill="#f6ead6"/>
    <path d="M4 58 Q6 10 50 8 Q94 10 96 58 Q50 68 4 58Z" fill="#d93a3a"/>
    <g fill="#fff"><circle cx="50" cy="26" r="9"/><circle cx="26" cy="42" r="7"/><circle cx="74" cy="42" r="7"/><circle cx="50" cy="51" r="5"/></g>`,
  flower: (petal = '#ee6fa5') => `
    <path d="M50 50v46" stroke="#3f8f46" stroke-width="6"/><path d="M50 80 Q28 80 22 62 Q46 60 50 80Z M50 88 Q72 86 78 70 Q54 70 50 88Z" fill="#4ca651"/>
    ${Array.from({ length: 6 }, (_, i) => `<ellipse cx="50" cy="15" rx="12" ry="14" fill="${petal}" transform="rotate(${i * 60} 50 36)"/>`).join('')}<circle cx="50" cy="36" r="12" fill="#ffd23f"/>`,
  cup: () => `
    <path d="M76 38 h8 q14 0 14 15 t-18 17" fill="none" stroke="#3b82c4" stroke-width="8"/>
    <path d="M12 28h68v36q0 26-24 26H36Q12 90 12 64z" fill="#4f9ddf"/><ellipse cx="46" cy="28" rx="34" ry="9" fill="#e9f2fa"/><ellipse cx="46" cy="29" rx="28" ry="6" fill="#6b4226"/>
    <path d="M34 16q-6-6 0-12M52 16q-6-6 0-12" stroke="#b8c2cc" stroke-width="3.5" fill="none" stroke-linecap="round"/>`,
};
